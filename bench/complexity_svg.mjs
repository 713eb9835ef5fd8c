// Draws docs/complexity.svg from what `complexity_bench --json` printed, given on stdin, and prints the
// table that docs/PERFORMANCE.md shows beside it. `./dev bench complexity` runs both.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const points = readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const lines = [
  { key: "random_local_ns", name: "anywhere, local", color: "#2563eb" },
  { key: "random_remote_ns", name: "anywhere, remote", color: "#c2410c" },
  { key: "typed_ns", name: "typing on", color: "#15803d" },
];
console.log("| elements | sites | anywhere, local | anywhere, remote | typing on |\n|--:|--:|--:|--:|--:|");
for (const point of points) {
  const cells = [point.elements.toLocaleString("en-US"), point.sites.toLocaleString("en-US"),
    ...lines.map(({ key }) => Math.round(point[key]))];
  console.log(`| ${cells.join(" | ")} |`);
}

const width = 380;
const height = 250;
const left = 56;
const panels = [
  panel("elements", points.filter((point) => point.by === "elements"), "elements, one site", 0),
  panel("sites", points.filter((point) => point.by === "sites"), "sites, 100,000 elements", width + 40),
];
const legend = lines.map(({ name, color }, i) =>
  `<g transform="translate(${left + i * 170},${height + 88})"><rect width="14" height="4" y="-6" fill="${color}"/>` +
  `<text x="20">${name}</text></g>`).join("");
writeFileSync(fileURLToPath(new URL("../docs/complexity.svg", import.meta.url)), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * width + 130} ${height + 104}" font-family="sans-serif" font-size="12" fill="#374151">
<rect width="100%" height="100%" fill="#ffffff"/>
${panels.join("\n")}
${legend}
</svg>
`);

function panel(key, rows, title, shift) {
  const logs = rows.map((row) => Math.log10(row[key]));
  const [from, to] = [Math.min(...logs), Math.max(...logs)];
  const most = Math.ceil(Math.max(...rows.flatMap((row) => lines.map((line) => row[line.key]))) / 500) * 500;
  const x = (value) => left + ((Math.log10(value) - from) / (to - from || 1)) * width;
  const y = (value) => 34 + height - (value / most) * height;
  const parts = [`<text x="${left}" y="16" font-size="13" font-weight="bold">ns for each edit by ${title}</text>`];
  for (let value = 0; value <= most; value += most / 5) {
    parts.push(`<path d="M${left} ${y(value)}h${width}" stroke="#e5e7eb"/>`);
    parts.push(`<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${Math.round(value)}</text>`);
  }
  for (const row of rows) {
    parts.push(`<text x="${x(row[key])}" y="${height + 54}" text-anchor="middle">10<tspan dy="-5" font-size="9">${Math.round(Math.log10(row[key]))}</tspan></text>`);
  }
  for (const line of lines) {
    const path = rows.map((row) => `${x(row[key]).toFixed(1)},${y(row[line.key]).toFixed(1)}`);
    parts.push(`<polyline points="${path.join(" ")}" fill="none" stroke="${line.color}" stroke-width="2"/>`);
    for (const point of path) {
      const [cx, cy] = point.split(",");
      parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${line.color}"/>`);
    }
  }
  return `<g transform="translate(${shift},0)">${parts.join("")}</g>`;
}

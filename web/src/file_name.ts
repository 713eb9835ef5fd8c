// File names without the languages behind them: all that the list needs.

export function extensionOf(fileName: string): string {
  const dot = fileName.lastIndexOf(".");
  return dot < 0 ? "" : fileName.slice(dot + 1).trim().toLowerCase();
}

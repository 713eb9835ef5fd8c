// esbuild answers with the hashed address of the file.
declare module "weft.wasm" {
  const address: string;
  export default address;
}

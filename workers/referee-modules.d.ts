// Owns the types of what the referee is bundled with: the isolate's source, and in the isolate the job's module. It refuses nothing.

declare module "polder-job-isolate" {
  const source: string;
  export default source;
}

declare module "job.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

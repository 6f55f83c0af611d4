// Owns the little of a WebAssembly engine that a job needs, as types: Node, browsers and workerd have it by the same
// name. It refuses to bring an engine, and to compile: where jobs run at the edge, bytes cannot be compiled.

export interface CompiledModule {
  readonly [Symbol.toStringTag]?: string;
}

export interface WideGlobal {
  value: bigint;
}

export interface LinearMemory {
  readonly buffer: ArrayBuffer;
}

interface Engine {
  readonly Module: {
    readonly prototype: CompiledModule;
    customSections(module: CompiledModule, name: string): ArrayBuffer[];
    imports(module: CompiledModule): { readonly name: string }[];
  };
  readonly Instance: new (
    module: CompiledModule,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
  readonly RuntimeError: new () => Error;
}

declare const WebAssembly: Engine;

/** Makes an instance at once; in a worker no engine minds. */
export function instantiate(
  module: CompiledModule,
  imports: Record<string, Record<string, unknown>>,
): Record<string, unknown> {
  return new WebAssembly.Instance(module, imports).exports;
}

export function customSection(module: CompiledModule, name: string): Uint8Array | undefined {
  const [section] = WebAssembly.Module.customSections(module, name);
  return section === undefined ? undefined : new Uint8Array(section);
}

/** Names that a module imports, of whatever module. */
export function importedNames(module: CompiledModule): string[] {
  return WebAssembly.Module.imports(module).map(({ name }) => name);
}

/** True for a trap of the program's own, as opposed to an engine that gave up. */
export function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError;
}

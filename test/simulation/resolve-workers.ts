// Owns how Node finds the platform's own module, and hashes that are remembered, when a simulation runs outside of the test
// runner. It refuses to touch any other module; whoever imports this must import it before the objects.

import { registerHooks } from "node:module";

const here = (file: string): string => new URL(file, import.meta.url).href;
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["cloudflare:workers", here("./workers-module.ts")],
  ...[1, 2, 3, 4, 5, 8, 11].map(
    (width) => [`poseidon-lite/poseidon${width}`, here("./kept-poseidon.ts")] as const,
  ),
]);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const url = INSTEAD.get(specifier);
    // What stands in for a hash makes it with the real one.
    return url === undefined || context.parentURL === url
      ? nextResolve(specifier, context)
      : { url, shortCircuit: true };
  },
});

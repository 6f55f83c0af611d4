// Owns how Node finds the platform's own module when a simulation runs outside of the test runner. It refuses to touch
// any other module; whoever imports this must import it before the objects.

import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, nextResolve) {
    return specifier === "cloudflare:workers"
      ? { url: new URL("./workers-module.ts", import.meta.url).href, shortCircuit: true }
      : nextResolve(specifier, context);
  },
});

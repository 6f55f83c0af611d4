// Owns the start of `npm run simulate`: what stands in for modules is in place before anything asks for them. It refuses to
// do anything else.

import "./resolve-workers.ts";

await import("./command-line.ts");

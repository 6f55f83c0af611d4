// A launcher that a test may kill: starts the stand-in on the state folder it is given and says where.

import { join } from "node:path";
import { startStack } from "../../clients/local/stack.ts";

const [stateFolder = ""] = process.argv.slice(2);
const stack = await startStack({ stateFolder, entryFile: join(import.meta.dirname, "stand-in-worker.js") });
console.log(JSON.stringify({ url: stack.url, workerdPid: stack.workerdPid }));

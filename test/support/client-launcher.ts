// A launcher that a test may kill: starts the real deployment on the state folder and variables it is given and says
// where it serves.

import { startStack } from "../../clients/local/stack.ts";

const { stateFolder, vars } = JSON.parse(process.argv[2] ?? "{}") as {
  stateFolder: string;
  vars: Record<string, string>;
};
const stack = await startStack({ stateFolder, vars, logger: () => {} });
console.log(JSON.stringify({ url: stack.url, workerdPid: stack.workerdPid }));

// Owns a launcher that may be killed: the real deployment on the state folder and variables it is given. It says where
// it serves, and on every line it is sent, which workerd serves now.

import { createInterface } from "node:readline";
import { startStack } from "../../clients/local/stack.ts";

const { stateFolder, vars } = JSON.parse(process.argv[2] ?? "{}") as {
  stateFolder: string;
  vars: Record<string, string>;
};
const stack = await startStack({ stateFolder, vars, logger: () => {} });
const say = (): void => console.log(JSON.stringify({ url: stack.url, workerdPid: stack.workerdPid }));
say();
createInterface(process.stdin).on("line", say);

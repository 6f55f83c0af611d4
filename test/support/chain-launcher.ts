// A launcher that a test may kill: starts the chain of the folder it is given, at a market time that runs, and says where.

import { startLocalChain } from "../../clients/local/local-chain.ts";

const [folder = "", beginsAtS = "0", rate = "1"] = process.argv.slice(2);
const startedMs = Date.now();
const marketS = (): number =>
  Math.floor(Number(beginsAtS) + ((Date.now() - startedMs) / 1000) * Number(rate));
const chain = await startLocalChain({
  folder,
  port: 0,
  marketS,
  report: (message) => console.error(message),
});
process.once("SIGTERM", () => void chain.stop().then(() => process.exit(0)));
console.log(JSON.stringify({ url: chain.url }));

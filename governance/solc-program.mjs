#!/usr/bin/env node
// Owns the compiler as Forge wants it: a program that answers --version and --standard-json, made of npm's solc. It
// refuses every other request, and needs no network. Plain JavaScript, since it starts on whatever Node is there.

import { readFileSync } from "node:fs";
import solc from "solc";

const [request] = process.argv.slice(2);
if (request === "--version") {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error(`only --version and --standard-json, not ${request ?? "nothing"}`);
  process.exit(1);
}

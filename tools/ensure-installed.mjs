// Owns the moment before every script: installs the locked packages when they are missing or stale, and
// refuses to go on without a Node that runs TypeScript. Plain JavaScript, since it starts on older Nodes.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const HIDDEN_LOCK = join(ROOT, "node_modules/.package-lock.json");

/** The packages of a lock file by folder, or undefined when the file is absent or torn. */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

const accepts = (list, value) =>
  list === undefined ||
  [list].flat().includes(value) ||
  [list].flat().some((x) => x[0] === "!" && x !== `!${value}`);

/** Folders that the lock names for this machine and that are absent or of another version. */
function findStale(locked, installed) {
  return Object.entries(locked).filter(([folder, entry]) => {
    if (folder === "" || installed[folder]?.version === entry.version) return false;
    if (!entry.optional && !entry.devOptional && !entry.peer) return true;
    // An optional package counts only when it names this very platform; the others may fail to install.
    return (
      Boolean(entry.os && entry.cpu && !entry.libc) &&
      accepts(entry.os, process.platform) &&
      accepts(entry.cpu, process.arch)
    );
  });
}

/** Why an install is needed, or undefined when the tree matches the lock. */
function reasonToInstall() {
  const locked = readPackages(join(ROOT, "package-lock.json"));
  if (locked === undefined) return "there is no package-lock.json";
  const installed = readPackages(HIDDEN_LOCK);
  if (installed === undefined) return "the packages are not installed yet";
  const stale = findStale(locked, installed);
  return stale.length === 0 ? undefined : `${stale[0][0]} and ${stale.length - 1} more differ from the lock`;
}

/** Runs npm with its output shown, and a line every ten seconds so that a silent minute is no riddle. */
function runNpm(args) {
  return new Promise((resolve, reject) => {
    const startedMs = Date.now();
    const cli = process.env.npm_execpath;
    // NODE_ENV=production must not drop the tools that `npm start` itself needs.
    const flags = [
      ...args,
      "--include=dev",
      "--include=optional",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    const child = cli?.endsWith("npm-cli.js")
      ? spawn(process.execPath, [cli, ...flags], { cwd: ROOT, stdio: "inherit" })
      : spawn("npm", flags, { cwd: ROOT, stdio: "inherit", shell: process.platform === "win32" });
    const beat = setInterval(() => {
      console.error(`  … still installing, ${Math.round((Date.now() - startedMs) / 1000)} s`);
    }, 10_000);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearInterval(beat);
      if (code === 0) resolve();
      else reject(new Error(`npm ${args.join(" ")} ended with ${code ?? "a signal"}`));
    });
  });
}

/** The Node that scripts will find, or an explanation of what is missing. */
function requireNode() {
  const shipped = join(ROOT, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(shipped)) return;
  const [major, minor] = process.versions.node.split(".").map(Number);
  // 22.18 is the first release that strips types without a flag.
  if (major > 22 || (major === 22 && minor >= 18)) return;
  throw new Error(`Polder needs Node 22.18 or newer here; this is ${process.versions.node}`);
}

try {
  const reason = reasonToInstall();
  if (reason !== undefined) {
    console.error(`Installing packages (${reason}); about a minute the first time.`);
    // A tree that is already there is brought up to date in place: `npm ci` would pull it from under
    // whatever still runs from it.
    if (existsSync(HIDDEN_LOCK)) await runNpm(["install", "--no-save"]);
    // A registry without some platform's optional package makes `npm ci` call the lock file out of step,
    // though nothing that this machine needs is missing; a plain install reads the same lock.
    else await runNpm(["ci"]).catch(() => runNpm(["install", "--no-save"]));
    console.error("Packages are installed.");
  }
  requireNode();
} catch (error) {
  console.error(`Could not prepare the packages: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

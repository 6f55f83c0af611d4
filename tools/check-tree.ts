// Owns the tree check: room directions, cycles, lengths, opening sentences, folder names and the purity of
// the pure rooms. It refuses every finding; only lengths may be over by what tree-allowances.json grants.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { opensWithSentence, readSource, type SourceFacts } from "./source-facts.ts";
import {
  FILE_LINES,
  FILE_NAME,
  FORBIDDEN_FOLDERS,
  FUNCTION_LINES,
  MAY_IMPORT,
  MAY_READ,
  PURE_PACKAGES,
  SKIPPED_FOLDERS,
  SOLIDITY_NAME,
} from "./tree-rules.ts";

export interface Finding {
  /** Path from the root, with slashes. */
  file: string;
  line: number;
  rule: string;
  text: string;
}

/** Lengths that are over the limit today: path → lines, and `path#function` → lines. */
export interface Allowances {
  files: Record<string, number>;
  functions: Record<string, number>;
}

const CODE = /\.(ts|mjs|js|sol|circom|sh)$/;
const SCRIPT = /\.(ts|mjs|js)$/;
const MEASURED = /\.(ts|mjs|js|sol|circom|sh|css|html)$/;

/** All findings of the tree under `root`, in the order of files and lines. */
export function checkTree(root: string, allowances: Allowances): Finding[] {
  const findings: Finding[] = [];
  const files = listFiles(root, "", findings);
  const graph = new Map<string, string[]>();
  const unused = new Set([...Object.keys(allowances.files), ...Object.keys(allowances.functions)]);
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    checkForm(file, text, allowances, unused, findings);
    if (!SCRIPT.test(file)) continue;
    const facts = readSource(file, text);
    graph.set(file, checkImports(root, file, facts, findings));
    checkFunctions(file, facts, allowances, unused, findings);
    checkPurity(file, facts, findings);
    if (roomOf(file) === "test") {
      for (const { line, text: title } of facts.looseTitles) {
        findings.push({ file, line, rule: "test title", text: `"${title}" begins with no class of test` });
      }
    }
  }
  findings.push(...findCycles(graph));
  for (const key of unused) {
    findings.push({ file: key, line: 1, rule: "allowance", text: "is granted for something that is gone" });
  }
  return findings.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}

function roomOf(file: string): string | undefined {
  const [room, rest] = file.split("/", 2);
  return rest === undefined ? undefined : room;
}

/** The measured files under a folder; complains about folders with forbidden names and unknown rooms. */
function listFiles(root: string, folder: string, findings: Finding[]): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (SKIPPED_FOLDERS.has(entry.name) || entry.name.startsWith(".")) continue;
      if (FORBIDDEN_FOLDERS.has(entry.name)) {
        findings.push({
          file: path,
          line: 1,
          rule: "folder name",
          text: "says nothing about what is inside",
        });
      }
      files.push(...listFiles(root, path, findings));
    } else if (entry.isFile() && MEASURED.test(entry.name)) {
      files.push(path);
      const room = roomOf(path);
      if (room !== undefined && !(room in MAY_IMPORT) && SCRIPT.test(path)) {
        findings.push({ file: path, line: 1, rule: "room", text: `${room}/ is no room of this house` });
      }
    }
  }
  return files.sort();
}

function checkForm(
  file: string,
  text: string,
  allowances: Allowances,
  unused: Set<string>,
  findings: Finding[],
): void {
  const name = posix.basename(file);
  if (!(name.endsWith(".sol") ? SOLIDITY_NAME : FILE_NAME).test(name)) {
    findings.push({
      file,
      line: 1,
      rule: "file name",
      text: "is not a kebab-case noun (Solidity: PascalCase)",
    });
  }
  if (CODE.test(name) && !opensWithSentence(text)) {
    findings.push({ file, line: 1, rule: "opening", text: "does not open with a comment sentence" });
  }
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const finding = judgeLength(lines, FILE_LINES, allowances.files[file]);
  unused.delete(file);
  if (finding !== undefined)
    findings.push({ file, line: FILE_LINES + 1, rule: "file length", text: finding });
}

function checkFunctions(
  file: string,
  facts: SourceFacts,
  allowances: Allowances,
  unused: Set<string>,
  findings: Finding[],
): void {
  for (const { name, line, lines, groupsTests } of facts.functions) {
    if (groupsTests) continue;
    const key = `${file}#${name}`;
    const finding = judgeLength(lines, FUNCTION_LINES, allowances.functions[key]);
    unused.delete(key);
    if (finding !== undefined) {
      findings.push({ file, line, rule: "function length", text: `${name}: ${finding}` });
    }
  }
}

/** Over the limit and its allowance, or an allowance that should have shrunk with the code. */
function judgeLength(lines: number, limit: number, allowed: number | undefined): string | undefined {
  if (lines > (allowed ?? limit)) return `${lines} lines, the limit is ${allowed ?? limit}`;
  if (allowed === undefined || lines === allowed) return undefined;
  const shrunk = lines <= limit ? "remove its allowance" : `lower its allowance to ${lines}`;
  return `${lines} lines where ${allowed} are allowed; ${shrunk}`;
}

/** Judges each import and returns the files of ours that this one imports. */
function checkImports(root: string, file: string, facts: SourceFacts, findings: Finding[]): string[] {
  const room = roomOf(file);
  const targets: string[] = [];
  for (const { specifier, line, isType } of facts.imports) {
    const complain = (rule: string, text: string) => findings.push({ file, line, rule, text });
    if (!specifier.startsWith(".")) {
      const packages = room === undefined ? undefined : PURE_PACKAGES[room];
      if (packages && !packages.test(specifier)) complain("purity", `${room}/ may not import ${specifier}`);
      continue;
    }
    const target = posix.join(posix.dirname(file), specifier);
    if (target.startsWith("..") || !existsSync(join(root, target))) {
      complain("import", `${specifier} names no file of the tree (write the extension)`);
      continue;
    }
    if (SCRIPT.test(target) && !isType) targets.push(target);
    const targetRoom = roomOf(target);
    if (room === undefined || targetRoom === room) continue;
    if (target.endsWith(".json") && MAY_READ[room]?.includes(targetRoom ?? "")) continue;
    if (targetRoom === undefined) {
      if (target !== "package.json") complain("direction", `${room}/ may not import ${target} of the root`);
    } else if (!MAY_IMPORT[room]?.includes(targetRoom)) {
      complain("direction", `${room}/ may not import ${targetRoom}/ (${specifier})`);
    }
  }
  return targets;
}

function checkPurity(file: string, facts: SourceFacts, findings: Finding[]): void {
  const room = roomOf(file);
  if (room === undefined || !(room in PURE_PACKAGES)) return;
  for (const { line, text } of facts.impurities) {
    findings.push({ file, line, rule: "purity", text: `${text}, and ${room}/ is pure` });
  }
}

/** One finding per cycle of imports (Tarjan's strongly connected components); types, which vanish, not counted. */
function findCycles(graph: Map<string, string[]>): Finding[] {
  const index = new Map<string, number>();
  const stack: string[] = [];
  const findings: Finding[] = [];
  const visit = (file: string): number => {
    let lowest = index.size;
    index.set(file, lowest);
    stack.push(file);
    const own = lowest;
    for (const target of graph.get(file) ?? []) {
      if (target === file) findings.push({ file, line: 1, rule: "cycle", text: "imports itself" });
      if (!graph.has(target)) continue;
      if (!index.has(target)) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, index.get(target) ?? own);
    }
    if (lowest === own) {
      const members = stack.splice(stack.indexOf(file)).sort();
      const [first = file] = members;
      if (members.length > 1) {
        findings.push({
          file: first,
          line: 1,
          rule: "cycle",
          text: `imports go round: ${members.join(", ")}`,
        });
      }
    }
    return lowest;
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return findings;
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  const allowances: Allowances = JSON.parse(readFileSync(join(root, "tools/tree-allowances.json"), "utf8"));
  const findings = checkTree(root, allowances);
  for (const { file, line, rule, text } of findings) console.error(`${file}:${line}  ${rule}: ${text}`);
  console.log(findings.length === 0 ? "the tree is in order" : `${findings.length} findings in the tree`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

// Owns what the tree check knows about one TypeScript file: its imports, the spans of its functions, its
// opening comment and what it does that a pure room may not. It refuses to judge; the rules do.

import ts from "typescript";
import { IMPURE_GLOBALS, TEST_TITLE } from "./tree-rules.ts";

/** A place in a file with something to say about it; lines count from 1. */
export interface Remark {
  line: number;
  text: string;
}

export interface FunctionSpan {
  name: string;
  line: number;
  /** From the first to the last line, both included, without the docstring. */
  lines: number;
  /** A `describe` callback: a list of tests, not a function that anyone reads as one. */
  groupsTests: boolean;
}

export interface SourceFacts {
  /** `isType` where the whole import is erased. */
  imports: { specifier: string; line: number; isType: boolean }[];
  functions: FunctionSpan[];
  impurities: Remark[];
  /** Test titles that begin with none of the agreed classes. */
  looseTitles: Remark[];
}

/** Reads one file's syntax tree; `fileName` only tells the dialect. */
export function readSource(fileName: string, text: string): SourceFacts {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const facts: SourceFacts = { imports: [], functions: [], impurities: [], looseTitles: [] };
  const declared = new Set<string>();
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const suspects: { name: string; line: number }[] = [];

  const visit = (node: ts.Node): void => {
    const specifier = importedModule(node);
    if (specifier !== undefined)
      facts.imports.push({ specifier, line: lineOf(node), isType: isErased(node) });
    if (isFunctionWithBody(node)) facts.functions.push(spanOf(node, source));
    const impurity = describeImpurity(node);
    if (impurity !== undefined) facts.impurities.push({ line: lineOf(node), text: impurity });
    if (ts.isIdentifier(node)) {
      if (isDeclarationName(node)) declared.add(node.text);
      else if (IMPURE_GLOBALS.has(node.text) && isFreeUse(node)) {
        suspects.push({ name: node.text, line: lineOf(node) });
      }
    }
    const title = testTitle(node);
    if (title !== undefined && !TEST_TITLE.test(title)) {
      facts.looseTitles.push({ line: lineOf(node), text: title });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const { name, line } of suspects) {
    if (!declared.has(name)) facts.impurities.push({ line, text: `uses the global ${name}` });
  }
  facts.impurities.sort((a, b) => a.line - b.line);
  return facts;
}

/**
 * Whether a file begins with a comment that says something: four words or more and a full stop. A shebang,
 * a licence identifier, a reference or a pragma may stand before it.
 */
export function opensWithSentence(text: string): boolean {
  const body = text.replace(
    /^(\s*(#!.*|\/\/ SPDX-License-Identifier:.*|\/\/\/ <reference.*|pragma [^;]*;|<!doctype html>)\r?\n)*\s*/i,
    "",
  );
  const block = /^\/\*([\s\S]*?)\*\/|^<!--([\s\S]*?)-->/.exec(body);
  const comment = block ? (block[1] ?? block[2] ?? "") : (/^((\/\/|#).*(\r?\n|$))+/.exec(body)?.[0] ?? "");
  const words = comment.replace(/^[\s*/#]+/gm, " ").trim();
  return (
    !/^(biome-ignore|@ts-|eslint)/.test(words) && /^\S+(\s+\S+){3,}/.test(words) && /[.:](\s|$)/.test(words)
  );
}

/** The module that an import, re-export, dynamic import or import type names. */
function importedModule(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return ts.isStringLiteral(node.argument.literal) ? node.argument.literal.text : undefined;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [first] = node.arguments;
    return first && ts.isStringLiteralLike(first) ? first.text : undefined;
  }
  return undefined;
}

/** Whether an import is for types only and leaves nothing behind at run time. */
function isErased(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly === true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return ts.isImportTypeNode(node);
}

type FunctionWithBody = ts.FunctionLikeDeclaration & { body: ts.Node };

function isFunctionWithBody(node: ts.Node): node is FunctionWithBody {
  return ts.isFunctionLike(node) && "body" in node && node.body !== undefined;
}

function spanOf(node: FunctionWithBody, source: ts.SourceFile): FunctionSpan {
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  const last = source.getLineAndCharacterOfPosition(node.end).line;
  const call = ts.isCallExpression(node.parent) ? rootName(node.parent.expression) : undefined;
  return { name: nameOf(node), line: first + 1, lines: last - first + 1, groupsTests: call === "describe" };
}

function nameOf(node: FunctionWithBody): string {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  if (node.name && (ts.isIdentifier(node.name) || ts.isPrivateIdentifier(node.name))) return node.name.text;
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) return parent.name.text;
  if (ts.isPropertyAssignment(parent)) return parent.name.getText();
  if (ts.isCallExpression(parent)) return `${parent.expression.getText().split("\n")[0]}(…)`;
  return "(anonymous)";
}

/** What a node by itself does that depends on more than arguments; globals are judged apart. */
function describeImpurity(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return "is async";
  if (ts.isAwaitExpression(node)) return "awaits";
  if (
    ts.isPropertyAccessExpression(node) &&
    node.expression.getText() === "Math" &&
    node.name.text === "random"
  ) {
    return "uses Math.random";
  }
  if (ts.isVariableStatement(node) && ts.isSourceFile(node.parent)) {
    return node.declarationList.flags & ts.NodeFlags.Const ? undefined : "keeps a mutable global";
  }
  return undefined;
}

/** An identifier that introduces a name: a parameter, a variable, an import, a function. */
function isDeclarationName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isParameter(parent) ||
      ts.isVariableDeclaration(parent) ||
      ts.isBindingElement(parent) ||
      ts.isFunctionDeclaration(parent) ||
      ts.isImportSpecifier(parent)) &&
    parent.name === node
  );
}

/** `Date.parse(text)`, `Date.UTC(…)` and `new Date(value)` convert; only the others ask what time it is. */
function isConversion(parent: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(parent))
    return parent.name.text === "parse" || parent.name.text === "UTC";
  return ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) > 0;
}

/** Not the name behind a dot, not a key of an object or an interface. */
function isFreeUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (node.text === "Date" && isConversion(parent)) return false;
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node;
  if (ts.isQualifiedName(parent)) return parent.right !== node;
  return !(
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}

/** `test` for `test(…)`, `test.each(…)(…)`, `test.skipIf(…)(…)`. */
function rootName(expression: ts.Expression): string | undefined {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isPropertyAccessExpression(expression)) return rootName(expression.expression);
  if (ts.isCallExpression(expression)) return rootName(expression.expression);
  if (ts.isTaggedTemplateExpression(expression)) return rootName(expression.tag);
  return undefined;
}

/** The title of a test case, as far as it is written out. */
function testTitle(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node) || node.arguments.length < 2) return undefined;
  const root = rootName(node.expression);
  const [title] = node.arguments;
  if ((root !== "test" && root !== "it") || title === undefined) return undefined;
  if (ts.isStringLiteralLike(title)) return title.text;
  return ts.isTemplateExpression(title) ? `${title.head.text}…` : undefined;
}

// Owns asking for a password on a terminal. It refuses to show what is typed, and to wait where there is no terminal.

import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** The password of POLDER_PASSWORD, else as typed. @throws Error where there is neither, or nothing was typed */
export async function askPassword(question: string): Promise<string> {
  const { POLDER_PASSWORD: given } = process.env;
  if (given !== undefined) return given;
  if (process.stdin.isTTY !== true)
    throw new Error("set POLDER_PASSWORD to the password of the key's file: there is no terminal to ask on");
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: process.stdin, output: silent, terminal: true, historySize: 0 });
  // Ctrl-C and Ctrl-D end a question without an answer.
  const ended = new Promise<string>((resolve) => line.once("close", () => resolve("")));
  try {
    const typed = await Promise.race([line.question(""), ended]);
    if (typed === "") throw new Error("no password was typed");
    return typed;
  } finally {
    line.close();
    process.stderr.write("\n");
  }
}

/** A new password, asked for twice. @throws Error where the two differ */
export async function askNewPassword(): Promise<string> {
  const first = await askPassword("a password for the key: ");
  if ((await askPassword("the same again: ")) !== first) throw new Error("the two passwords differ");
  return first;
}

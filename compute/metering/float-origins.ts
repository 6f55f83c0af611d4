// Owns where a float's NaN bits come from within one function, and hence where they must be made canonical: bits that an
// engine chose, before anything looks at them, and no others. It refuses to touch bits that came from memory, a
// parameter or an integer: those a program may rely on.
//
// Values form a graph. An arithmetic result is "chosen"; what only passes values on (locals, select, lanes) is whatever
// may flow in. Arithmetic and comparisons do not look at NaN bits. Whatever does look needs the value exact: where only
// chosen bits of one width can arrive it is made canonical there, and otherwise wherever those come from.

import { NumberList } from "./number-list.ts";

/** Bits that are exactly determined already. */
export const EXACT_BITS = -1;
/** Never a NaN, whatever it is read as. */
export const NO_NAN = -2;

/** Roles of nodes. */
const CHOSEN = 0;
const PASSED = 1;
const SIGNED = 2;
const MEETING = 3;
const NEVER = 4;
const READ = 5;

/** What may have flowed into a node, as bits: chosen of 32-bit floats, of 64-bit floats (the widths), and exact ones. */
const SINGLE = 1;
const DOUBLE = 2;
const EXACT = 4;
const END = -1;

export class FloatOrigins {
  readonly #roles = new NumberList();
  readonly #kinds = new NumberList();
  /** The instruction that makes the value. */
  readonly #places = new NumberList();
  readonly #isVector = new NumberList();
  /** Of a sign change its operand, of a read what the local held. */
  readonly #operands = new NumberList();
  /** Loops around the instruction. */
  readonly #depths = new NumberList();
  readonly #isNeeded = new NumberList();
  /** Edges as linked lists, by where they begin and by where they end. */
  readonly #firstOut = new NumberList();
  readonly #firstIn = new NumberList();
  readonly #nextOut = new NumberList();
  readonly #nextIn = new NumberList();
  readonly #from = new NumberList();
  readonly #to = new NumberList();
  readonly #uses = new NumberList();
  readonly #waiting = new NumberList();
  readonly #locals = new Map<number, number>();
  /** Loops around what comes next; kept by whoever walks. */
  loopDepth = 0;

  /** Begins a function. */
  begin(): void {
    const nodes = [this.#roles, this.#kinds, this.#places, this.#isVector, this.#operands, this.#depths];
    const edges = [this.#nextOut, this.#nextIn, this.#from, this.#to];
    const others = [this.#firstOut, this.#firstIn, this.#isNeeded, this.#uses];
    for (const list of [...nodes, ...edges, ...others]) list.clear();
    this.#locals.clear();
    this.loopDepth = 0;
  }

  #node(role: number, kind: number, place: number, isVector: boolean, operand = END): number {
    this.#kinds.push(kind);
    this.#places.push(place);
    this.#isVector.push(isVector ? 1 : 0);
    this.#operands.push(operand);
    this.#depths.push(this.loopDepth);
    this.#isNeeded.push(0);
    this.#firstOut.push(END);
    this.#firstIn.push(END);
    return this.#roles.push(role);
  }

  /** Lets a value flow into a node. */
  flow(origin: number, into: number): void {
    const settled = this.settled(origin);
    if (settled === EXACT_BITS) this.#kinds.set(into, this.#kinds.at(into) | EXACT);
    if (settled < 0) return;
    const edge = this.#from.push(settled);
    this.#to.push(into);
    this.#nextOut.push(this.#firstOut.at(settled));
    this.#nextIn.push(this.#firstIn.at(into));
    this.#firstOut.set(settled, edge);
    this.#firstIn.set(into, edge);
  }

  /** A result whose NaN bits the engine may choose. */
  chosen(instruction: number, width: number, isVector: boolean): number {
    return this.#node(CHOSEN, width, instruction, isVector);
  }

  /** A result that is no NaN when read in its own width. */
  never(width: number, isVector: boolean): number {
    return this.#node(NEVER, width, END, isVector);
  }

  /** A result that is one of two values, or made of lanes of both; width 0 where the instruction has none. */
  passed(instruction: number, width: number, isVector: boolean, one: number, other: number): number {
    if (one === EXACT_BITS && other < 0) return EXACT_BITS;
    const node = this.#node(PASSED, width, instruction, isVector);
    this.flow(one, node);
    this.flow(other, node);
    return node;
  }

  /** A value with its sign changed: exact once the operand is, and never canonicalised itself. */
  signed(operand: number): number {
    if (operand < 0) return operand;
    // Of a sign that was changed before, the first operand: chains of them must not be walked for every use.
    const first = this.#roles.at(operand) === SIGNED ? this.#operands.at(operand) : operand;
    return this.#node(SIGNED, 0, END, false, first);
  }

  /** What a local holds, where it is read. */
  read(instruction: number, isVector: boolean, value: number): number {
    if (value < 0) return value;
    const node = this.#node(READ, 0, instruction, isVector, value);
    this.flow(value, node);
    return node;
  }

  /** A node where values meet. */
  meeting(): number {
    return this.#node(MEETING, 0, END, false);
  }

  /** The one node of a local that is not followed. */
  localNode(local: number): number {
    const known = this.#locals.get(local);
    if (known !== undefined) return known;
    const node = this.meeting();
    this.#locals.set(local, node);
    return node;
  }

  /** The value as it may be kept: a sign change is exact once kept, so its operand must be. */
  settled(origin: number): number {
    if (origin < 0 || this.#roles.at(origin) !== SIGNED) return origin;
    this.use(origin, 0);
    return EXACT_BITS;
  }

  /** Nodes, edges and uses so far. */
  entries(): number {
    return this.#roles.length + this.#to.length + this.#uses.length;
  }

  /** A value is taken by what reads floats of `width` without regard to NaN bits; 0 where the bits matter. */
  use(origin: number, width: number): void {
    if (origin < 0) return;
    this.#uses.push(origin);
    this.#uses.push(width);
  }

  /** Marks, per instruction, whose result must be made canonical: the width, and 2 more for vectors. */
  resolve(marks: Uint8Array): void {
    this.#spread();
    for (let use = 0; use < this.#uses.length; use += 2) {
      let node = this.#uses.at(use);
      if (this.#roles.at(node) === SIGNED) node = this.#operands.at(node);
      // What is read in its own width may be anything.
      const seen = this.#kinds.at(node) & (SINGLE | DOUBLE) & ~this.#uses.at(use + 1);
      if (seen !== 0) this.#waiting.push(node);
    }
    for (let node = this.#waiting.pop(); node !== undefined; node = this.#waiting.pop())
      this.#need(node, marks);
  }

  /** Lets kinds flow along the edges; each node changes at most three times. */
  #spread(): void {
    const waiting = this.#waiting;
    for (let node = 0; node < this.#kinds.length; node += 1)
      if (this.#kinds.at(node) !== 0) waiting.push(node);
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const kind = this.#kinds.at(node);
      for (let edge = this.#firstOut.at(node); edge !== END; edge = this.#nextOut.at(edge)) {
        const into = this.#to.at(edge);
        const before = this.#kinds.at(into);
        if ((before | kind) === before) continue;
        this.#kinds.set(into, before | kind);
        waiting.push(into);
      }
    }
  }

  /** Sees to it that a node's bits are exact: here if they are all chosen in one width, else where they come from. */
  #need(node: number, marks: Uint8Array): void {
    const kind = this.#kinds.at(node);
    const role = this.#roles.at(node);
    if (this.#isNeeded.at(node) === 1 || kind === EXACT || role === NEVER) return;
    this.#isNeeded.set(node, 1);
    if (role !== MEETING && (kind === SINGLE || kind === DOUBLE)) {
      const held = this.#operands.at(node);
      // Where it was made, rather than at every read; but not in a loop for the sake of a read outside.
      const isMade = held !== END && this.#roles.at(held) !== MEETING;
      if (isMade && this.#depths.at(held) <= this.#depths.at(node)) this.#waiting.push(held);
      else marks[this.#places.at(node)] = kind + 2 * this.#isVector.at(node);
      return;
    }
    for (let edge = this.#firstIn.at(node); edge !== END; edge = this.#nextIn.at(edge))
      this.#waiting.push(this.#from.at(edge));
  }
}

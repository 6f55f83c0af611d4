// Owns which value each float local holds at a point of a function, so that two uses that a compiler put into one local are
// told apart. It refuses functions with too many locals, or that grow too large to follow: those have one origin a local.
//
// Blocks make it easy: where paths meet, a local that came with different values gets a node into which they flow; at the
// head of a loop every local gets one, for what comes round is not known yet.

import { F32, F64, V128 } from "../module/value-types.ts";
import { EXACT_BITS, type FloatOrigins, NO_NAN } from "./float-origins.ts";

/** Locals that are followed one by one; merging looks at all of them. */
const MOST_SLOTS = 128;
/** Nodes and edges of one function: a few dozen megabytes. */
const MOST_ENTRIES = 500_000;
const NONE = -1;
/** No value flowed yet: below all that stand for values. */
const NOTHING = -1_000;

/** A label: what the locals hold where its branches meet. */
interface Label {
  readonly isLoop: boolean;
  /** The nodes of a loop's head; of a block, what came so far; null while nothing did. */
  values: Int32Array | null;
  /** Whether a value is a node of this label's own, and what flowed into it last. */
  flowed: Int32Array | null;
  /** A conditional's beginning, for its second arm. */
  readonly beginning: Int32Array | null;
}

export class LocalOrigins {
  readonly #graph: FloatOrigins;
  /** Per local its slot; NONE for integers. */
  #slots = new Int32Array(0);
  #parameters = 0;
  #current: Int32Array = new Int32Array(0);
  #labels: Label[] = [];
  #isDead = false;
  #isFollowed = false;

  constructor(graph: FloatOrigins) {
    this.#graph = graph;
  }

  /** Begins a function. */
  begin(types: Uint8Array, parameters: number, mayFollow: boolean): void {
    let count = 0;
    this.#slots = new Int32Array(types.length).fill(NONE);
    for (let local = 0; local < types.length; local += 1) {
      const type = types[local];
      if (type === F32 || type === F64 || type === V128) this.#slots[local] = count++;
    }
    this.#parameters = parameters;
    this.#labels = [];
    this.#isDead = false;
    this.#isFollowed = mayFollow && count <= MOST_SLOTS;
    // Parameters come with exact bits, locals begin with zeros.
    this.#current = new Int32Array(this.#isFollowed ? count : 0).fill(NO_NAN);
    for (let local = 0; local < parameters && this.#isFollowed; local += 1) {
      const slot = this.#slots[local] as number;
      if (slot !== NONE) this.#current[slot] = EXACT_BITS;
    }
  }

  /** True once following costs more than it gains. */
  isTooLarge(): boolean {
    return this.#isFollowed && this.#graph.entries() > MOST_ENTRIES;
  }

  read(local: number, instruction: number, isVector: boolean): number {
    const slot = this.#slots[local] as number;
    if (slot === NONE) return EXACT_BITS;
    if (this.#isFollowed) return this.#graph.read(instruction, isVector, this.#current[slot] as number);
    if (local < this.#parameters) return EXACT_BITS;
    return this.#graph.read(instruction, isVector, this.#graph.localNode(local));
  }

  write(local: number, origin: number): void {
    const slot = this.#slots[local] as number;
    if (slot === NONE) return;
    if (this.#isFollowed) this.#current[slot] = this.#graph.settled(origin);
    else if (local < this.#parameters) this.#graph.use(origin, 0);
    else this.#graph.flow(origin, this.#graph.localNode(local));
  }

  enter(isLoop: boolean, isConditional: boolean): void {
    const beginning = isConditional ? this.#current.slice() : null;
    const label: Label = { isLoop, values: null, flowed: null, beginning };
    this.#labels.push(label);
    if (isLoop) this.#graph.loopDepth += 1;
    if (!isLoop || this.isTooLarge()) return;
    label.flowed = this.#current;
    this.#current = this.#current.map((value) => {
      const node = this.#graph.meeting();
      this.#graph.flow(value, node);
      return node;
    });
    label.values = this.#current.slice();
  }

  /** The locals go along a branch to the label that stands at `depth`, the function's own being the first. */
  branch(depth: number): void {
    const label = this.#labels[depth];
    if (label !== undefined && depth > 0) this.#meet(label);
  }

  /** What follows is not executed. */
  stop(): void {
    this.#isDead = true;
  }

  /** The first arm of a conditional ends and the second begins. */
  otherwise(): void {
    const label = this.#labels.at(-1);
    if (label === undefined) return;
    this.#meet(label);
    if (label.beginning !== null) this.#current = label.beginning.slice();
    this.#isDead = false;
  }

  /** A block ends; `isOpen` for a conditional without a second arm, which may not have been executed at all. */
  leave(isOpen: boolean): void {
    const label = this.#labels.pop();
    if (label === undefined) return;
    if (label.isLoop) {
      this.#graph.loopDepth -= 1;
      return;
    }
    this.#meet(label);
    if (isOpen && label.beginning !== null) {
      this.#current = label.beginning;
      this.#isDead = false;
      this.#meet(label);
    }
    if (label.values === null) return;
    this.#current = label.values;
    this.#isDead = false;
  }

  #meet(label: Label): void {
    if (this.#isDead || this.#current.length === 0 || this.isTooLarge()) return;
    const { values, flowed } = label;
    if (values === null || flowed === null) {
      if (label.isLoop) return;
      label.values = this.#current.slice();
      label.flowed = new Int32Array(this.#current.length).fill(NOTHING);
      return;
    }
    for (let slot = 0; slot < values.length; slot += 1) this.#meetSlot(label.isLoop, values, flowed, slot);
  }

  #meetSlot(isLoop: boolean, values: Int32Array, flowed: Int32Array, slot: number): void {
    const value = this.#current[slot] as number;
    const known = values[slot] as number;
    if (value === known || value === flowed[slot]) return;
    const isOwn = isLoop || flowed[slot] !== NOTHING;
    if (isOwn) this.#graph.flow(value, known);
    else {
      const node = this.#graph.meeting();
      this.#graph.flow(known, node);
      this.#graph.flow(value, node);
      values[slot] = node;
    }
    flowed[slot] = value;
  }
}

// Owns where a float's NaN bits come from within one function, and hence where they must be made canonical: bits that an
// engine chose, before anything looks at them, and no others. It refuses to touch bits that came from memory, a
// parameter or an integer: those a program may rely on.
//
// Values form a graph. An arithmetic result is "chosen"; what only passes values on (locals, select, lanes) is chosen
// where all that may flow in is. Arithmetic and comparisons do not look at NaN bits. Whatever does look demands that a
// chosen value be made canonical where it is made, or read from its local.

/** Bits that are exactly determined already. */
export const EXACT_BITS = -1;
/** Never a NaN, whatever it is read as. */
export const NO_NAN = -2;

/** Roles of nodes. */
const CHOSEN = 0;
const PASSED = 1;
const SIGNED = 2;
const LOCAL = 3;
const NEVER = 4;
const READ = 5;

/** Both widths, or exact bits among chosen ones: the value is exact, and what flows in must be. */
const MIXED = 3;
const END = -1;

export class FloatOrigins {
  readonly #roles: number[] = [];
  /** Widths of what flows in, as bits: SINGLE, DOUBLE, or MIXED. */
  readonly #widths: number[] = [];
  /** The instruction that makes the value. */
  readonly #places: number[] = [];
  /** Of a sign change its operand, of a read what the local held. */
  readonly #operands: number[] = [];
  /** Loops around the instruction. */
  readonly #depths: number[] = [];
  readonly #isVector: boolean[] = [];
  /** Edges as linked lists: from a node to those that it flows into. */
  readonly #firstEdge: number[] = [];
  readonly #nextEdge: number[] = [];
  readonly #edgeFrom: number[] = [];
  readonly #edgeTo: number[] = [];
  readonly #uses: number[] = [];
  readonly #locals = new Map<number, number>();
  /** Loops around what comes next; kept by whoever walks. */
  loopDepth = 0;

  /** Begins a function. */
  begin(): void {
    for (const list of [this.#roles, this.#widths, this.#places, this.#firstEdge]) list.length = 0;
    for (const list of [this.#nextEdge, this.#edgeFrom, this.#edgeTo, this.#uses]) list.length = 0;
    for (const list of [this.#operands, this.#depths]) list.length = 0;
    this.#isVector.length = 0;
    this.#locals.clear();
    this.loopDepth = 0;
  }

  #node(role: number, width: number, place: number, isVector: boolean, operand = END): number {
    this.#operands.push(operand);
    this.#depths.push(this.loopDepth);
    this.#roles.push(role);
    this.#widths.push(width);
    this.#places.push(place);
    this.#isVector.push(isVector);
    return this.#firstEdge.push(END) - 1;
  }

  /** Lets a value flow into a node. */
  flow(origin: number, into: number): void {
    if (origin === NO_NAN) return;
    if (origin === EXACT_BITS || this.#roles[origin] === SIGNED) {
      this.use(origin, 0);
      this.#widths[into] = MIXED;
      return;
    }
    this.#nextEdge.push(this.#firstEdge[origin] as number);
    this.#edgeFrom.push(origin);
    this.#firstEdge[origin] = this.#edgeTo.push(into) - 1;
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
    if (one === EXACT_BITS && other === EXACT_BITS) return EXACT_BITS;
    const node = this.#node(PASSED, width, instruction, isVector);
    this.flow(one, node);
    this.flow(other, node);
    return node;
  }

  /** A value with its sign changed: exact once the operand is, and never canonicalised itself. */
  signed(operand: number): number {
    return operand < 0 ? operand : this.#node(SIGNED, 0, END, false, operand);
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
    return this.#node(LOCAL, 0, END, false);
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
    if (origin < 0 || this.#roles[origin] !== SIGNED) return origin;
    this.use(origin, 0);
    return EXACT_BITS;
  }

  /** Nodes, edges and uses so far. */
  entries(): number {
    return this.#roles.length + this.#edgeTo.length + this.#uses.length;
  }

  /** A value is taken by what reads floats of `width` without regard to NaN bits; 0 where the bits matter. */
  use(origin: number, width: number): void {
    if (origin >= 0) this.#uses.push(origin, width);
  }

  /** Marks, per instruction, whose result must be made canonical: the width, and 2 more for vectors. */
  resolve(marks: Uint8Array): void {
    this.#spread();
    for (let use = 0; use < this.#uses.length; use += 2) {
      this.#demand(this.#uses[use] as number, this.#uses[use + 1] as number, marks);
    }
    for (let edge = 0; edge < this.#edgeTo.length; edge += 1) {
      if (this.#widths[this.#edgeTo[edge] as number] !== MIXED) continue;
      this.#demand(this.#edgeFrom[edge] as number, 0, marks);
    }
  }

  /** Lets widths flow along the edges; each node changes at most twice. */
  #spread(): void {
    const waiting: number[] = [];
    for (let node = 0; node < this.#widths.length; node += 1)
      if (this.#widths[node] !== 0) waiting.push(node);
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const width = this.#widths[node] as number;
      for (let edge = this.#firstEdge[node] as number; edge !== END; edge = this.#nextEdge[edge] as number) {
        const into = this.#edgeTo[edge] as number;
        const before = this.#widths[into] as number;
        if ((before | width) === before) continue;
        this.#widths[into] = before | width;
        waiting.push(into);
      }
    }
  }

  #demand(origin: number, width: number, marks: Uint8Array): void {
    let node = origin;
    while (this.#roles[node] === SIGNED) node = this.#operands[node] as number;
    if (this.#isSettled(node, width)) return;
    // Once where it is made, rather than at every read; but not in a loop for the sake of a read outside.
    for (let held = this.#operands[node] as number; held !== END; held = this.#operands[node] as number) {
      const isMade =
        this.#roles[held] !== LOCAL && (this.#depths[held] as number) <= (this.#depths[node] as number);
      if (!isMade) break;
      node = held;
    }
    if (this.#roles[node] === NEVER) return;
    marks[this.#places[node] as number] = (this.#widths[node] as number) + (this.#isVector[node] ? 2 : 0);
  }

  #isSettled(node: number, width: number): boolean {
    const own = this.#widths[node] as number;
    const role = this.#roles[node] as number;
    return own === width || own === MIXED || own === 0 || role === NEVER || role === LOCAL;
  }
}

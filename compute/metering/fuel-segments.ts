// Owns which instructions of a body are paid for together: those that are executed if the first is, unless the job ends.
// It refuses to charge twice or never: every reachable instruction's weight is in exactly one segment.

/** What is executed after a branch, a return or a trap: nothing. */
const NONE = -1;

/** What a block must remember until it ends. */
export interface BlockSegments {
  readonly outside: number;
  /** The segment that the block, or a conditional's first arm, began with. */
  first: number;
  /** The second arm's first segment. */
  otherwise: number;
  /** Outermost block that a branch from inside leaves to; deeper ones are none. */
  outermostTarget: number;
}

export class FuelSegments {
  /** Fuel per segment, and the instruction after which it is charged; the first is charged on entry. */
  readonly costs: number[] = [];
  readonly places: number[] = [];
  #current = NONE;

  /** Begins a function; its segments follow those of the functions before. */
  begin(): void {
    this.startAfter(NONE);
  }

  /** Forgets a segment and all after it. */
  rewind(segment: number): void {
    this.costs.length = segment;
    this.places.length = segment;
  }

  current(): number {
    return this.#current;
  }

  startAfter(instruction: number): number {
    this.#current = this.costs.length;
    this.costs.push(0);
    this.places.push(instruction);
    return this.#current;
  }

  add(weight: number): void {
    if (this.#current !== NONE) this.costs[this.#current] = (this.costs[this.#current] as number) + weight;
  }

  /** Nothing more is executed until the block ends. */
  stop(): void {
    this.#current = NONE;
  }

  isStopped(): boolean {
    return this.#current === NONE;
  }

  /** What follows is executed only if this conditional branch was not taken. */
  split(instruction: number): void {
    if (this.#current !== NONE) this.startAfter(instruction);
  }

  /** Enters a block, which goes on with the segment around it, or a loop or an arm, which has its own. */
  enter(instruction: number, isOwn: boolean, depth: number): BlockSegments {
    const outside = this.#current;
    const first = outside !== NONE && isOwn ? this.startAfter(instruction) : outside;
    return { outside, first, otherwise: NONE, outermostTarget: depth };
  }

  /** The second arm of a conditional. */
  enterOtherwise(instruction: number, block: BlockSegments): void {
    if (block.outside === NONE) this.stop();
    else block.otherwise = this.startAfter(instruction);
  }

  /**
   * Leaves the block that stood at `depth`. When no branch inside left it, what follows is executed whenever the block
   * was, and belongs to the segment around it.
   */
  leave(instruction: number, block: BlockSegments, depth: number, isConditional: boolean): void {
    if (block.outside === NONE) return;
    if (isConditional && block.otherwise !== NONE) this.#hoist(block);
    if (block.outermostTarget >= depth) this.#current = block.outside;
    else this.startAfter(instruction);
  }

  /** One of the arms is executed, so the cheaper one's first fuel is always due. */
  #hoist({ outside, first, otherwise }: BlockSegments): void {
    const left = this.costs[first] as number;
    const right = this.costs[otherwise] as number;
    const both = Math.min(left, right);
    this.costs[outside] = (this.costs[outside] as number) + both;
    this.costs[first] = left - both;
    this.costs[otherwise] = right - both;
  }
}

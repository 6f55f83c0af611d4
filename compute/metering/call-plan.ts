// Owns what a module's calls say about where to count: which functions must count their frames because they may be
// entered again before they return, and which are so small that their callers pay for them. It refuses to let any way
// round the calls go uncounted, or any work between two looks at the fuel grow without bound.
//
// One walk in depth, in the order of the functions. An edge back to what is still open closes a cycle; the function it
// leads to is counted, so that every cycle has one. A call through a table may reach every function of its type that
// was named outside of bodies; such a set is a vertex of its own, for otherwise the edges would be squared.

import type { CheckedBody, CheckedCode } from "../checking/checked-body.ts";
import type { DecodedModule } from "../module/decoded-module.ts";
import type { FunctionType } from "../module/value-types.ts";
import { PREPAID_FUEL, UNCOUNTED_STACK_BYTES } from "./fuel-schedule.ts";
import type { FuelSegments } from "./fuel-segments.ts";

const UNSEEN = 0;
const OPEN = 1;
const DONE = 2;

export class CallPlan {
  /** Per own function: whether its frames are counted. */
  readonly isCounted: Uint8Array;
  /** What a frame of it takes, with those of the uncounted functions that it may call. */
  readonly stackBytes: Float64Array;
  /** Whether callers pay for what is charged on its entry. */
  readonly isPrepaid: Uint8Array;
  /** Whether it runs without touching the fuel. */
  readonly isSilent: Uint8Array;
  /** Whether another function called it while it was open, before it was known who pays. */
  readonly #isCalledOpen: Uint8Array;
  /** Of prepaid functions: the most that a call of it can cost, but for loops. */
  readonly #wholeFuel: Float64Array;
  readonly #state: Uint8Array;
  readonly #bodies: readonly CheckedBody[];
  readonly #segments: FuelSegments;
  readonly #imports: number;
  readonly #declared: ReadonlySet<number>;
  /** Vertices of tables' types follow those of the functions. */
  readonly #typeVertices = new Map<string, number>();
  readonly #reachable: number[][] = [];
  readonly #isTableCounted = new Set<number>();

  constructor(module: DecodedModule, { bodies, segments }: CheckedCode) {
    const { length } = bodies;
    this.#bodies = bodies;
    this.#segments = segments;
    this.#imports = module.imports.length;
    this.#declared = module.declared;
    this.isCounted = new Uint8Array(length);
    this.isPrepaid = new Uint8Array(length);
    this.isSilent = new Uint8Array(length);
    this.#isCalledOpen = new Uint8Array(length);
    this.#wholeFuel = new Float64Array(length);
    this.#gatherTables();
    this.stackBytes = new Float64Array(length + this.#reachable.length);
    this.#state = new Uint8Array(length + this.#reachable.length);
    for (let vertex = 0; vertex < length; vertex += 1) if (this.#state[vertex] === UNSEEN) this.#walk(vertex);
  }

  /** The place of a function among the module's own; below zero for an imported one. */
  own(callee: number): number {
    return callee - this.#imports;
  }

  #gatherTables(): void {
    for (const callee of [...this.#declared].sort((left, right) => left - right)) {
      const body = this.#bodies[this.own(callee)];
      if (body === undefined) continue;
      const key = keyOf(body.type);
      const known = this.#typeVertices.get(key);
      if (known !== undefined) this.#reachable[known]?.push(this.own(callee));
      else this.#typeVertices.set(key, this.#reachable.push([this.own(callee)]) - 1);
    }
  }

  #edges(vertex: number): number[] {
    const body = this.#bodies[vertex];
    if (body === undefined) return this.#reachable[vertex - this.#bodies.length] ?? [];
    const edges = new Set<number>();
    for (const { callee } of body.calls) if (this.own(callee) >= 0) edges.add(this.own(callee));
    for (const type of body.indirectTypes) {
      const table = this.#typeVertices.get(keyOf(type));
      if (table !== undefined) edges.add(this.#bodies.length + table);
    }
    return [...edges];
  }

  #walk(root: number): void {
    const path: { vertex: number; edges: number[]; next: number }[] = [];
    const open = (vertex: number): void => {
      this.#state[vertex] = OPEN;
      path.push({ vertex, edges: this.#edges(vertex), next: 0 });
    };
    open(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.edges[top.next];
      top.next += 1;
      if (target === undefined) {
        this.#close(top.vertex, top.edges);
        path.pop();
      } else if (this.#state[target] === UNSEEN) open(target);
      else if (this.#state[target] === OPEN) this.#count(target, top.vertex);
    }
  }

  /** Counts a function, or all that a table's vertex leads to: every way through it passes one of them. */
  #count(vertex: number, caller: number): void {
    if (vertex < this.#bodies.length) {
      this.isCounted[vertex] = 1;
      if (caller !== vertex) this.#isCalledOpen[vertex] = 1;
    } else if (!this.#isTableCounted.has(vertex)) {
      this.#isTableCounted.add(vertex);
      for (const callee of this.#edges(vertex)) this.isCounted[callee] = 1;
    }
  }

  #close(vertex: number, edges: readonly number[]): void {
    this.#state[vertex] = DONE;
    const body = this.#bodies[vertex];
    let deepest = 0;
    for (const target of edges)
      if (this.isCounted[target] !== 1) deepest = Math.max(deepest, this.stackBytes[target] as number);
    this.stackBytes[vertex] = (body?.frameBytes ?? 0) + deepest;
    if (body === undefined) return;
    if ((this.stackBytes[vertex] as number) > UNCOUNTED_STACK_BYTES) this.isCounted[vertex] = 1;
    this.#prepay(vertex, body);
  }

  /** Moves what its calls cost on entry into its own segments, and says whether its callers may do the same with it. */
  #prepay(vertex: number, body: CheckedBody): void {
    const { costs } = this.#segments;
    let whole = 0;
    let isSilent = !body.hasLoop && !body.hasLengths && body.indirectTypes.length === 0;
    for (const { segment, callee } of body.calls) {
      const own = this.own(callee);
      if (this.isSilent[own] !== 1) isSilent = false;
      if (this.isPrepaid[own] !== 1) continue;
      const entry = this.#entryFuel(own);
      costs[segment] = (costs[segment] as number) + entry;
      whole += (this.#wholeFuel[own] as number) - entry;
    }
    for (let segment = body.firstSegment; segment < body.endSegment; segment += 1) {
      whole += costs[segment] as number;
      if (segment > body.firstSegment && (costs[segment] as number) > 0) isSilent = false;
    }
    this.#wholeFuel[vertex] = whole;
    const isNamed = this.#declared.has(vertex + this.#imports);
    if (isNamed || whole > PREPAID_FUEL || !this.#payForItself(vertex, body)) return;
    this.isPrepaid[vertex] = 1;
    if (isSilent && this.isCounted[vertex] !== 1) this.isSilent[vertex] = 1;
  }

  /** Lets a function pay for its calls of itself, if that can be; one that others called before it was known cannot. */
  #payForItself(vertex: number, body: CheckedBody): boolean {
    if (this.isCounted[vertex] !== 1) return true;
    const { costs } = this.#segments;
    const itself = body.calls.filter(({ callee }) => this.own(callee) === vertex);
    const isCalledAtOnce = itself.some(({ segment }) => segment === body.firstSegment);
    if (this.#isCalledOpen[vertex] === 1 || isCalledAtOnce) return false;
    const entry = this.#entryFuel(vertex);
    for (const { segment } of itself) costs[segment] = (costs[segment] as number) + entry;
    return true;
  }

  #entryFuel(own: number): number {
    const body = this.#bodies[own] as CheckedBody;
    return this.#segments.costs[body.firstSegment] as number;
  }
}

function keyOf({ params, results }: FunctionType): string {
  return `${String.fromCharCode(...params)}:${String.fromCharCode(...results)}`;
}

// Owns what reading votes asks of a chain, as of one block, so that a Worker and a command line read them in the same way. It
// refuses to know how the chain is reached, and whom of its endpoints to believe.

import type { Hex } from "../../protocol/fields.ts";

/** A block that everything is read as of. */
export interface BlockView {
  readonly number: number;
  readonly hash: Hex;
  /** The block's own time, which votes are counted by. Unix seconds. */
  readonly timeS: number;
}

/** A question to a contract and how its answer is read. */
export interface ContractRead<T> {
  readonly to: Hex;
  readonly data: Hex;
  /** @throws Error for bytes that are no such answer */
  readonly decode: (answer: Hex) => T;
}

/** An event's log. */
export interface ContractLog {
  readonly block: number;
  readonly index: number;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** Which logs: of one contract, of these events, in these blocks. */
export interface LogSpan {
  readonly address: Hex;
  readonly events: readonly Hex[];
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** What a call that may revert came to. */
export type Attempt =
  | { readonly output: Hex }
  | {
      /** What the contract reverted with; null where the endpoint does not say. */
      readonly reverted: Hex | null;
      readonly message: string;
    };

/** A chain as of one block. */
export interface ChainView {
  readonly block: BlockView;
  /** Asks contracts; none of the calls may revert. @throws Error where the chain does not answer, or one reverts */
  read<T extends readonly unknown[]>(reads: { [K in keyof T]: ContractRead<T[K]> }): Promise<T>;
  /** Makes calls that may revert, each on its own, from an address. @throws Error where the chain does not answer */
  attempt(
    calls: readonly { readonly from: Hex; readonly to: Hex; readonly data: Hex }[],
  ): Promise<readonly Attempt[]>;
  /** Ascending, each once. @throws Error where the chain does not answer */
  logs(span: LogSpan): Promise<readonly ContractLog[]>;
}

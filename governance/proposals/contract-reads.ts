// Owns how a question to one of the vote's contracts is put together with its answer. It refuses to ask; a chain view does.

import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type DecodeFunctionResultParameters,
  decodeFunctionResult,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
} from "viem";
import type { Hex } from "../../protocol/fields.ts";
import type { ContractRead } from "./chain-view.ts";

type Reads = "view" | "pure";
type Answer<A extends Abi, N extends ContractFunctionName<A, Reads>> = ContractFunctionReturnType<
  A,
  Reads,
  N,
  ContractFunctionArgs<A, Reads, N>
>;

/** A question to a contract; addresses in its answer are spelt as viem spells them. */
export function readOf<const A extends Abi, N extends ContractFunctionName<A, Reads>>(
  to: Hex,
  abi: A,
  functionName: N,
  args: readonly unknown[] = [],
): ContractRead<Answer<A, N>> {
  const call = { abi, functionName, args } as unknown;
  return {
    to,
    data: encodeFunctionData(call as EncodeFunctionDataParameters),
    decode: (data) =>
      decodeFunctionResult({ ...(call as DecodeFunctionResultParameters), data }) as Answer<A, N>,
  };
}

// Owns what is done with a region's quote asset before a deposit: a permit where the token has them, else an approval of
// exactly the amount. It refuses to approve more than is deposited.

import { domainSeparator, type Hex, type LocalAccount, parseSignature, zeroHash } from "viem";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { refusalOf } from "../../governance/calls/contract-refusal.ts";
import { testQuoteAbi } from "../../governance/generated/abi.ts";

/** Beyond it a permit that was never sent is of no use to whoever finds it. Seconds of the chain. */
const PERMIT_LIFE_S = 86_400;

/** Tokens that answer nothing to `approve` are tokens too. */
const APPROVE_ABI = [
  {
    type: "function",
    name: "approve",
    stateMutability: "nonpayable",
    inputs: [
      { name: "spender", type: "address" },
      { name: "amount", type: "uint256" },
    ],
    outputs: [],
  },
  // What a token says when it refuses.
  ...testQuoteAbi.filter(({ type }) => type === "error"),
] as const;

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

/** A permit as `depositWithPermit` takes it. */
export interface Permit {
  readonly deadlineS: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

/** A token, asked for one wallet and one spender. */
export class QuoteToken {
  readonly #sender: ContractSender;
  readonly #token: Hex;
  readonly #spender: Hex;

  constructor(sender: ContractSender, token: Hex, spender: Hex) {
    this.#sender = sender;
    this.#token = token;
    this.#spender = spender;
  }

  get #owner(): Hex {
    return this.#sender.wallet.account.address;
  }

  balance(): Promise<bigint> {
    return this.#read("balanceOf", [this.#owner]) as Promise<bigint>;
  }

  allowance(): Promise<bigint> {
    return this.#read("allowance", [this.#owner, this.#spender]) as Promise<bigint>;
  }

  /** @throws ContractRefusal in the token's own words where the wallet has less; whether it may be taken is not asked. */
  async requireBalance(amount: bigint): Promise<void> {
    const { client, wallet } = this.#sender;
    try {
      await client.simulateContract({
        address: this.#token,
        abi: testQuoteAbi,
        functionName: "transfer",
        args: [this.#spender, amount],
        account: wallet.account,
      });
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** Approves an amount and no more; an approval that is left over is taken back first, as some tokens want it. */
  async approve(amount: bigint, before: bigint): Promise<void> {
    for (const value of before === 0n ? [amount] : [0n, amount])
      await sendCall(this.#sender, {
        address: this.#token,
        abi: APPROVE_ABI,
        functionName: "approve",
        args: [this.#spender, value],
      });
  }

  /** A permit for an amount, or null where the token has none that can be made here. */
  async permit(amount: bigint, signer: LocalAccount): Promise<Permit | null> {
    const domain = await this.#domain();
    if (domain === null) return null;
    const [nonce, { timestamp }] = await Promise.all([
      this.#read("nonces", [this.#owner]) as Promise<bigint>,
      this.#sender.client.getBlock(),
    ]);
    const deadlineS = timestamp + BigInt(PERMIT_LIFE_S);
    const signature = await signer.signTypedData({
      domain,
      types: PERMIT_TYPES,
      primaryType: "Permit",
      message: { owner: this.#owner, spender: this.#spender, value: amount, nonce, deadline: deadlineS },
    });
    const { r, s, v, yParity } = parseSignature(signature);
    return { deadlineS, v: Number(v ?? BigInt(yParity + 27)), r, s };
  }

  /** The domain that the token's permits are signed for, where it is of the usual form; whether it is, its hash says. */
  async #domain() {
    const [name, separator, version] = await Promise.all([
      this.#read("name", []).catch(() => null) as Promise<string | null>,
      this.#read("DOMAIN_SEPARATOR", []).catch(() => null) as Promise<Hex | null>,
      this.#version(),
    ]);
    if (name === null || separator === null || separator === zeroHash) return null;
    const { chain } = this.#sender.wallet;
    const domain = { name, version, chainId: chain.id, verifyingContract: this.#token };
    return domainSeparator({ domain }) === separator ? domain : null;
  }

  /** By EIP-5267, else as older tokens say it; "1" where a token says nothing. */
  async #version(): Promise<string> {
    try {
      const answer = (await this.#read("eip712Domain", [])) as readonly unknown[];
      return String(answer[2]);
    } catch {
      return (await this.#readVersion()) ?? "1";
    }
  }

  #readVersion(): Promise<string | null> {
    const abi = [
      {
        type: "function",
        name: "version",
        stateMutability: "view",
        inputs: [],
        outputs: [{ name: "", type: "string" }],
      },
    ] as const;
    const { client } = this.#sender;
    return client.readContract({ address: this.#token, abi, functionName: "version" }).catch(() => null);
  }

  #read(functionName: string, args: readonly unknown[]): Promise<unknown> {
    const { client } = this.#sender;
    return client.readContract({ address: this.#token, abi: testQuoteAbi, functionName, args } as never);
  }
}

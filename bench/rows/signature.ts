// Owns the rows of `signature`: what the gateway does to verify a session key's signature and a wallet's, against the
// same in JavaScript and in viem. It refuses signatures that either side would not accept.

import { sign } from "node:crypto";
import { commandId } from "../../protocol/typed-data.ts";
import { DOMAIN, membersOf, orderOf } from "../fleet.ts";
import { compareParts, PARTS_NOTE, startParts } from "../parts.ts";
import { compared, type Measurement } from "../row.ts";

const SIGNATURES = 200;

/** Measures the rows. */
export const measure: Measurement = async (say) => {
  const members = membersOf(SIGNATURES);
  const digests = members.map(({ account }, index) =>
    commandId(DOMAIN, orderOf("measured", account, "buy", 2, index)),
  );
  const bySession = members.map(({ sessionKey, secret }, index) => {
    const digest = digests[index] as `0x${string}`;
    const signature = `0x${sign(null, Buffer.from(digest.slice(2), "hex"), secret).toString("hex")}`;
    return { key: sessionKey, digest, signature };
  });
  const byWallet = await Promise.all(
    members.map(async ({ account, wallet }, index) => {
      const digest = digests[index] as `0x${string}`;
      return { digest, signature: await wallet.sign({ hash: digest }), wallet: account };
    }),
  );
  const stack = await startParts();
  try {
    const session = await compareParts(stack, "session", SIGNATURES, () => ({ items: bySession }));
    const wallet = await compareParts(stack, "wallet", SIGNATURES, () => ({ items: byWallet }));
    say(
      `session ${session.ours.toFixed(0)}/s and ${session.peer.toFixed(0)}/s, wallet ${wallet.ours.toFixed(0)}/s and ${wallet.peer.toFixed(0)}/s`,
    );
    const common = { unit: "signatures/s", higherIsBetter: true } as const;
    return [
      compared({
        name: "signature: session key",
        ...session,
        ...common,
        note: `strict Ed25519 over WebCrypto against strict noble; ${PARTS_NOTE}`,
      }),
      compared({
        name: "signature: wallet",
        ...wallet,
        ...common,
        note: `strict recovery over noble against viem's recoverAddress, the same curve below; ${PARTS_NOTE}`,
      }),
    ];
  } finally {
    await stack.stop();
  }
};

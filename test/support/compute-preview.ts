// Owns a preview in which compute was delivered, for those who write previews down. It refuses to be one that a region made.

import { type PreviewAnswer, previewAnswer } from "../../protocol/preview-answer.ts";

const TOKEN = 10n ** 18n;

const outcome = (tokens: bigint, feesMicros: number) => ({
  rewards: String(tokens * TOKEN),
  feesMicros: String(feesMicros),
  networkMicros: "0",
  receivedMicros: String(90 - feesMicros),
});
const compared = (paid: [bigint, number], then: [bigint, number]) => ({
  ...{ soldWh: 0, boughtWh: 0 },
  ...{ paid: outcome(...paid), preview: outcome(...then) },
});
const nothing = compared([0n, 0], [0n, 0]);
const delivered = compared([2n, 10], [3n, 20]);
const weights = { weight: 1, previewWeight: 2 };
const trade = (breakEvenMicrosPerToken: string | null) => ({
  ...{ breakEvenMicrosPerToken, feeMicros: "0", networkMicros: "0", reward: "0" },
  ...{ paysAboveMicrosPerToken: null, gainMicros: null },
});

/** Nobody sold energy; of epochs 4 and 5 it is not known whose the compute was. */
export const COMPUTE_PREVIEW: PreviewAnswer = previewAnswer.parse({
  region: "wadden",
  epochs: [],
  restartsEmission: false,
  total: delivered,
  resources: [
    { resource: "energy", units: "0", ...weights, ...nothing },
    { resource: "compute", units: "50", ...weights, ...delivered },
    { resource: "bandwidth", units: "0", ...weights, ...nothing },
  ],
  providers: [{ account: `0x${"0".repeat(39)}1`, resource: "compute", units: "50", ...delivered }],
  accounts: [],
  leftOut: {
    providers: 0,
    accounts: 0,
    deliveries: [
      { epoch: 4, resource: "compute" },
      { epoch: 5, resource: "compute" },
    ],
  },
  own: null,
  selfTrading: [
    { resource: "energy", priceMicros: "0", inForce: trade("7"), preview: trade("7"), change: "none" },
    { resource: "compute", priceMicros: "0", inForce: trade(null), preview: trade("7"), change: "easier" },
  ],
  unchanged: [],
});

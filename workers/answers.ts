// Owns the answer to an accepted command, as the OpenAPI document shows it; the other answers are in protocol/. It refuses
// nothing.

import { z } from "zod";
import { receiptSchema } from "../evidence/receipt.ts";
import { eventSchema } from "../protocol/events.ts";
import { bytes32, entryNumber, instantS } from "../protocol/fields.ts";

export const acceptedAnswer = z
  .strictObject({
    commandId: bytes32,
    entry: entryNumber.meta({
      description: "number of the journal entry; of a placed order also its orderId",
    }),
    atS: instantS,
    events: z.array(eventSchema),
    receipt: receiptSchema,
  })
  .meta({ id: "Accepted", description: "An accepted command. Sent again it gets this same answer." });

/**
 * Delivery against every fault that the log and the network may have, and clients of every speed. Whatever happens, in
 * the end each client shows the truth, and in between nothing is skipped, repeated or queued without a bound.
 */
import { test } from "node:test";
import { playDelivery } from "./support/delivery-model.ts";

test("[L6, L7, W5, W6] whatever is lost, late or doubled, every client shows the truth", (t) =>
  playDelivery(t, { firstSeed: 1, seeds: 200 }));

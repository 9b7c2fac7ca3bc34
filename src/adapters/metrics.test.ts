import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import fc from "fast-check";
import { ArrayHistogram } from "./metrics-histogram.ts";
import { ServerMetrics } from "./metrics.ts";

let metrics = new ServerMetrics();
afterEach(() => {
  metrics.close();
  metrics = new ServerMetrics();
});

/** Samples by name and labels, as written. */
async function scrape(): Promise<Map<string, number>> {
  const { contentType, body } = await metrics.expose();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  const samples = new Map<string, number>();
  for (const line of body.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const space = line.lastIndexOf(" ");
    assert.ok(!samples.has(line.slice(0, space)), `twice: ${line}`);
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

test("requests are counted and timed by method, in seconds", async () => {
  metrics.requestFinished("ping", 0.5);
  metrics.requestFinished("ping", 7.5);
  metrics.requestFinished("ping", 90_000, "TIMEOUT");
  const samples = await scrape();
  assert.equal(samples.get('parley_requests_total{method="ping",code="OK"}'), 2);
  assert.equal(samples.get('parley_requests_total{method="ping",code="TIMEOUT"}'), 1);
  assert.equal(samples.get('parley_request_seconds_bucket{method="ping",le="0.0005"}'), 1);
  assert.equal(samples.get('parley_request_seconds_bucket{method="ping",le="0.005"}'), 1);
  assert.equal(samples.get('parley_request_seconds_bucket{method="ping",le="0.01"}'), 2);
  assert.equal(samples.get('parley_request_seconds_bucket{method="ping",le="+Inf"}'), 3);
  assert.equal(samples.get('parley_request_seconds_count{method="ping"}'), 3);
  assert.equal(samples.get('parley_request_seconds_sum{method="ping"}'), 90.008);
});

test("a made-up method makes no new label", async () => {
  for (let i = 0; i < 1000; i++) metrics.requestFinished(`made.up.${i}`, 1, "METHOD_NOT_FOUND");
  const samples = await scrape();
  assert.equal(samples.get('parley_requests_total{method="unknown",code="METHOD_NOT_FOUND"}'), 1000);
  assert.ok(![...samples.keys()].some((key) => key.includes("made")));
});

test("connections: open ones, and how the others closed; unusual codes share a label", async () => {
  for (let i = 0; i < 5; i++) metrics.connectionOpened();
  metrics.connectionClosed(4008);
  metrics.connectionClosed(3999);
  metrics.connectionClosed(4777);
  const samples = await scrape();
  assert.equal(samples.get("parley_connections"), 2);
  assert.equal(samples.get('parley_connections_closed_total{code="4008"}'), 1);
  assert.equal(samples.get('parley_connections_closed_total{code="other"}'), 2);
});

test("delivery's own counts, runs, tokens, refusals and bugs are exposed, and again at the next scrape", async () => {
  const counts = { events: 10, bytes: 900, lagged: 1, resyncs: 2, gapsHealed: 3, tooSlow: 4, readsFailed: 5 };
  metrics.delivery(counts);
  metrics.refused("ORIGIN_REFUSED");
  metrics.runStarted(true);
  metrics.runEnded("stopped");
  metrics.presenceChanged("gone");
  metrics.firstToken(120);
  metrics.tokens(40);
  metrics.appended(7, 0.3);
  metrics.bug();
  await scrape();
  counts.events = 11;
  const samples = await scrape();
  const expected = {
    parley_events_delivered_total: 11,
    parley_bytes_delivered_total: 900,
    parley_lagging_total: 1,
    'parley_presence_changes_total{state="gone"}': 1,
    'parley_presence_changes_total{state="typing"}': 0,
    parley_resyncs_total: 2,
    parley_gaps_healed_total: 3,
    parley_too_slow_total: 4,
    parley_log_reads_failed_total: 5,
    parley_log_entries_appended_total: 7,
    parley_log_append_seconds_count: 1,
    'parley_refused_total{code="ORIGIN_REFUSED"}': 1,
    parley_runs_started_total: 1,
    parley_runs_taken_over_total: 1,
    'parley_runs_ended_total{status="stopped"}': 1,
    'parley_runs_ended_total{status="lost"}': 0,
    'parley_first_token_seconds_bucket{le="0.1"}': 0,
    'parley_first_token_seconds_bucket{le="0.25"}': 1,
    parley_model_deltas_total: 40,
    parley_bugs_total: 1,
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(samples.get(key), value, key);
});

test("gauges are read at the scrape; one that throws is left out, and only that one", async () => {
  let sessions = 3;
  metrics.gauge("sessions", () => sessions);
  metrics.gauge("runs", () => {
    throw new Error("not now");
  });
  assert.equal((await scrape()).get("parley_sessions"), 3);
  sessions = 4;
  const samples = await scrape();
  assert.equal(samples.get("parley_sessions"), 4);
  assert.equal(samples.has("parley_runs_active"), false);
});

test("runs by status come from the store, and a store that fails or hangs does not fail the scrape", async () => {
  metrics.runCounts(() => Promise.resolve({ queued: 2, running: 1, completed: 99 }));
  let samples = await scrape();
  assert.equal(samples.get('parley_runs{status="queued"}'), 2);
  assert.equal(samples.get('parley_runs{status="waiting"}'), 0);
  assert.equal(samples.has('parley_runs{status="completed"}'), false);
  metrics.runCounts(() => Promise.reject(new Error("gone")));
  samples = await scrape();
  assert.equal(samples.has('parley_runs{status="queued"}'), false);
  metrics.runCounts(() => new Promise(() => {}));
  assert.ok((await scrape()).has("parley_connections"));
});

test("the process and its event loop are measured", async () => {
  const samples = await scrape();
  assert.ok((samples.get("process_resident_memory_bytes") ?? 0) > 0);
  for (const quantile of ["0.5", "0.99", "1"]) {
    const delay = samples.get(`parley_event_loop_delay_seconds{quantile="${quantile}"}`);
    assert.ok(delay !== undefined && delay >= 0 && delay < 3600, `${quantile}: ${delay}`);
  }
});

test("two of them do not share anything", async () => {
  const other = new ServerMetrics();
  other.connectionOpened();
  await other.expose();
  assert.equal((await scrape()).get("parley_connections"), 0);
  other.close();
});

test("a histogram's buckets are cumulative and include their bound", () => {
  const bounds = [1, 10, 100];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 })), (values) => {
      const histogram = new ArrayHistogram(bounds);
      for (const value of values) histogram.add(value);
      const expected = [...bounds, Infinity].map((bound) => values.filter((value) => value <= bound).length);
      assert.deepEqual(histogram.cumulative(), expected);
      assert.equal(histogram.count, values.length);
      assert.equal(
        histogram.sum,
        values.reduce((sum, value) => sum + value, 0),
      );
    }),
  );
});

test("models: calls by outcome, retries, fallbacks, tokens, cost and time to the first token", async () => {
  const model = "openai/some";
  metrics.modelCalled(model, "overload");
  metrics.modelRetried(model, "overload");
  metrics.modelCalled(model, "ok");
  metrics.modelSpoke(model, 800);
  metrics.modelUsed(model, { inputTokens: 100, cachedInputTokens: 60, outputTokens: 20, costMicros: 2_500_000 });
  metrics.modelUsed(model, { inputTokens: 1, outputTokens: 2, reasoningTokens: 1 });
  metrics.modelFellBack("anthropic/gone");
  const samples = await scrape();
  assert.equal(samples.get('parley_model_calls_total{model="openai/some",outcome="ok"}'), 1);
  assert.equal(samples.get('parley_model_calls_total{model="openai/some",outcome="overload"}'), 1);
  assert.equal(samples.get('parley_model_retries_total{model="openai/some",kind="overload"}'), 1);
  assert.equal(samples.get('parley_model_fallbacks_total{model="anthropic/gone"}'), 1);
  assert.equal(samples.get('parley_model_tokens_total{model="openai/some",kind="input"}'), 101);
  assert.equal(samples.get('parley_model_tokens_total{model="openai/some",kind="cached"}'), 60);
  assert.equal(samples.get('parley_model_tokens_total{model="openai/some",kind="output"}'), 22);
  assert.equal(samples.get('parley_model_tokens_total{model="openai/some",kind="reasoning"}'), 1);
  assert.equal(samples.get('parley_model_cost_usd_total{model="openai/some"}'), 2.5);
  assert.equal(samples.get('parley_model_first_token_seconds_bucket{model="openai/some",le="1"}'), 1);
  assert.equal(samples.get('parley_model_first_token_seconds_sum{model="openai/some"}'), 0.8);
});

test("ids of models that requests make up share one label after the first fifty", async () => {
  for (let i = 0; i < 1000; i++) metrics.modelCalled(`openai/made-up-${i}`, "request");
  const samples = [...(await scrape())].filter(([name]) => name.startsWith("parley_model_calls_total"));
  assert.equal(samples.length, 51);
  assert.equal(new Map(samples).get('parley_model_calls_total{model="other",outcome="request"}'), 950);
});

test("[R9] the breaker of each model is shown, and shown again when it has closed", async () => {
  const states = new Map<string, "closed" | "open" | "half-open">([["openai/a", "open"]]);
  metrics.breakers(() => states);
  const gauge = async () => (await scrape()).get('parley_model_breaker_state{model="openai/a"}');
  assert.equal(await gauge(), 2);
  states.set("openai/a", "half-open");
  assert.equal(await gauge(), 1);
  states.set("openai/a", "closed");
  assert.equal(await gauge(), 0);
  metrics.breakers(() => {
    throw new Error("gone");
  });
  assert.equal(await gauge(), undefined);
});

test("tools by outcome and duration, approvals by how they ended", async () => {
  metrics.toolFinished("clock", "completed", 3);
  metrics.toolFinished("clock", "failed", 70);
  metrics.approvalEnded("expired");
  const samples = await scrape();
  assert.equal(samples.get('parley_tool_calls_total{tool="clock",outcome="completed"}'), 1);
  assert.equal(samples.get('parley_tool_calls_total{tool="clock",outcome="failed"}'), 1);
  assert.equal(samples.get('parley_tool_seconds_bucket{tool="clock",le="0.005"}'), 1);
  assert.equal(samples.get('parley_tool_seconds_count{tool="clock"}'), 2);
  assert.equal(samples.get('parley_approvals_total{outcome="expired"}'), 1);
  assert.equal(samples.get('parley_approvals_total{outcome="approved"}'), 0);
});

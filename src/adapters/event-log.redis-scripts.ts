/**
 * The scripts of the event log: each is one atomic step on one bucket. `event-log.redis-append.ts` has the one that
 * appends. Keys of a topic, all in one slot by the tag of its bucket:
 *
 *   <prefix>{b0}m:<topic>      meta: the values of LOAD below, packed; no meta, no topic
 *   <prefix>{b0}s:<topic>      stream of entries: id <seq>-0, one field: its name is the time (ms since 1970), its value
 *                              the record (`event-log.redis-records.ts`)
 *   <prefix>{b0}p:<topic>      hash of the accumulators: <part index>:<message id> → number, UTF-16 units, bytes, kind
 *   <prefix>{b0}a<n>:<topic>   text of accumulator number n, to which a delta is APPENDed
 *   <prefix>{b0}w:<topic>      hash of writers: n<id> → last counter and its seq; s<id> → stretches, "<n> <seq>,…": from
 *                              this counter on, seqs follow; `order` → their ids, oldest first
 *   <prefix>{b0}i:<topic>      hash of event ids → seq; at 4,096 it becomes
 *   <prefix>{b0}j:<topic>      the older ones
 *   <prefix>{b0}k:<topic>      list of marks "<seq> <bytes>": how many bytes had been appended by then
 *   <prefix>{b0}log            the shard channel of the bucket
 *
 * `<prefix>{b0}presence…` stands beside them and is not the log's (`presence.redis.ts`).
 *
 * - Continuity [L4]: meta holds the server's `master_replid` of when it was opened. It changes when a replica is promoted
 *   and when a server restarts, so a topic of another one is as good as gone. (It changes as well when a master gets
 *   its first replica or has had none for an hour: a new epoch for nothing, and no harm.) INFO is read once a call.
 * - Texts are bytes here and UTF-16 units to everybody else: lengths in units are kept beside them, and what is to be cut
 *   is counted.
 * - All keys expire together, an hour after the topic was last used; that is set anew at most once a minute.
 * - The server's clock is the only one.
 */
/** Begins every script. A replica, and a server that is being demoted, answers nothing of what it may not know. */
export const SCRIPT_SERVER = `
local call, pack, unpacked = redis.call, cmsgpack.pack, cmsgpack.unpack
local find, match, sub = string.find, string.match, string.sub
local info = call('INFO', 'replication')
if not find(info, 'role:master', 1, true) then return redis.error_reply('READONLY this server is a replica') end
local server = match(info, 'master_replid:(%x+)')
if not server then return redis.error_reply('ERR this server does not tell its master_replid') end
`;

/** ARGV[1] is prefix and tag, ARGV[2] the time to live. The state of one topic at a time is in these variables. */
export const SCRIPT_TOPIC = `
local prefix, ttl = ARGV[1], ARGV[2]
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local stamp = string.format('%.0f', now)
local topic
local epoch, fence, head, touched, complete, bytes, marked, writer, wn, wseq, part, no, units, size, kind, nextno
local renew

-- False when there is no topic, or one of another server.
local function load(key)
  topic, renew = sub(key, #prefix + 3), false
  local meta = call('GET', key)
  if not meta then return false end
  local of
  of, epoch, fence, head, touched, complete, bytes, marked, writer, wn, wseq, part, no, units, size, kind, nextno =
    unpacked(meta)
  return of == server
end

local function save(key)
  if now - touched >= 60000 then renew = true end
  if renew then touched = now end
  local meta = pack(server, epoch, fence, head, touched, complete, bytes, marked, writer, wn, wseq, part, no, units, size,
    kind, nextno)
  if not renew then return call('SET', key, meta, 'KEEPTTL') end
  call('SET', key, meta, 'PX', ttl)
  for _, letter in ipairs({ 's:', 'p:', 'w:', 'i:', 'j:', 'k:' }) do call('PEXPIRE', prefix .. letter .. topic, ttl) end
  for _, known in ipairs(call('HVALS', prefix .. 'p:' .. topic)) do
    call('PEXPIRE', prefix .. 'a' .. (unpacked(known)) .. ':' .. topic, ttl)
  end
end
`;

/** Answers {status, epoch, seq, fence, complete, part, kind, text, part, …}, oldest accumulator first. */
const STATE_REPLY = `
local function state(status)
  local known, parts, answer = call('HGETALL', prefix .. 'p:' .. topic), {}, { status, epoch, head, fence, complete }
  for i = 1, #known, 2 do
    local pno, punits, psize, pkind = unpacked(known[i + 1])
    if known[i] == part then psize = size end
    parts[#parts + 1] = { known[i], pkind, pno, psize }
  end
  table.sort(parts, function(a, b) return tonumber(a[3]) < tonumber(b[3]) end)
  for _, each in ipairs(parts) do
    local text = call('GET', prefix .. 'a' .. each[3] .. ':' .. topic) or ''
    if #text ~= each[4] then answer[5] = 0 end
    answer[#answer + 1] = each[1]
    answer[#answer + 1] = each[2]
    answer[#answer + 1] = text
  end
  return answer
end
`;

/** KEYS: meta. ARGV: …, epoch, fence, owner (0 or 1), head, then part, kind, units, text of each accumulator. */
export const OPEN = `${SCRIPT_SERVER}${SCRIPT_TOPIC}${STATE_REPLY}
local wanted, claim, owner = ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
if load(KEYS[1]) then
  if owner and claim < fence then return state('FENCED') end
  if epoch == wanted then return state('OK') end
  if not owner then return state('EXISTS') end
end
for _, known in ipairs(call('HVALS', prefix .. 'p:' .. topic)) do
  call('UNLINK', prefix .. 'a' .. (unpacked(known)) .. ':' .. topic)
end
for _, letter in ipairs({ 's:', 'p:', 'w:', 'i:', 'j:', 'k:' }) do call('UNLINK', prefix .. letter .. topic) end
epoch, fence, head, touched, complete, bytes, marked = wanted, claim, tonumber(ARGV[6]), now, owner and 1 or 0, 0, 0
writer, wn, wseq, part, no, units, size, kind, nextno = '', 0, 0, '', '', 0, 0, '', 0
for i = 7, #ARGV, 4 do
  nextno = nextno + 1
  call('SET', prefix .. 'a' .. nextno .. ':' .. topic, ARGV[i + 3])
  call('HSET', prefix .. 'p:' .. topic, ARGV[i], pack(tostring(nextno), tonumber(ARGV[i + 2]), #ARGV[i + 3], ARGV[i + 1]))
end
renew = true
save(KEYS[1])
return state('OK')
`;

/** KEYS: meta. ARGV: …, fence. Answers {'NO_EPOCH'}, {'FENCED', fence} or the state. */
export const SEAL = `${SCRIPT_SERVER}${SCRIPT_TOPIC}${STATE_REPLY}
if not load(KEYS[1]) then return { 'NO_EPOCH' } end
local claim = tonumber(ARGV[3])
if fence > claim then return { 'FENCED', fence } end
fence, renew = claim, true
save(KEYS[1])
return state('OK')
`;

/** KEYS: meta. Answers {'NO_EPOCH'} or the state. */
export const STATE = `${SCRIPT_SERVER}${SCRIPT_TOPIC}${STATE_REPLY}
if not load(KEYS[1]) then return { 'NO_EPOCH' } end
return state('OK')
`;

/** KEYS: metas. Answers for each "<seq> <fence> <epoch>", or "" when there is none. */
export const HEADS = `${SCRIPT_SERVER}${SCRIPT_TOPIC}
local answer = {}
for i, key in ipairs(KEYS) do
  answer[i] = load(key) and head .. ' ' .. fence .. ' ' .. epoch or ''
end
return answer
`;

/**
 * KEYS: meta. ARGV: …, epoch, after, limit, bytes. Answers {reason} or {'OK', head, "<time>,<record><time>,…"}: the
 * entries that fit, at least one if there is one. Fetched in pages, so that large entries are not all held at once.
 */
export const READ = `${SCRIPT_SERVER}${SCRIPT_TOPIC}
if not load(KEYS[1]) then return { 'NO_EPOCH' } end
if epoch ~= ARGV[3] then return { 'WRONG_EPOCH' } end
local after, limit, room = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if after > head then return { 'AHEAD' } end
local found, pieces = 0, {}
while found < limit and after + found < head do
  local wanted = after + found + 1
  local page = call('XRANGE', prefix .. 's:' .. topic, wanted .. '-0', '+', 'COUNT', math.min(limit - found, 32))
  if not page[1] or page[1][1] ~= wanted .. '-0' then
    if found == 0 then return { 'TRIMMED' } end
    break
  end
  for _, entry in ipairs(page) do
    room = room - #entry[2][2]
    if room < 0 and found > 0 then return { 'OK', head, table.concat(pieces) } end
    found = found + 1
    pieces[#pieces + 1] = entry[2][1] .. ','
    pieces[#pieces + 1] = entry[2][2]
  end
end
return { 'OK', head, table.concat(pieces) }
`;

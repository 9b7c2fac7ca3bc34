/**
 * The scripts of the event log: each is one atomic step on one bucket. `event-log.redis-append.ts` has the one that
 * appends. Keys of a topic, all in one slot by the tag of its bucket; the first names the layout, the others begin with it:
 *
 *   <prefix>{b0}l2:<topic>   meta: numbers of a fixed width (those that move with each entry, then the others), then
 *                            epoch, writer, a line break, part, number and kind of its accumulator; no meta, no topic
 *   …/s                      stream of entries: id <seq>-0, one field: its name is the time (ms since 1970), its value the
 *                            record (`event-log.redis-records.ts`)
 *   …/p                      hash of the accumulators: <part index>:<message id> → number, UTF-16 units, bytes, kind
 *   …/a<n>                   text of accumulator number n, to which a delta is APPENDed
 *   …/w                      hash of writers: n<id> → last counter and its seq; s<id> → stretches, "<n> <seq>,…": from
 *                            this counter on, seqs follow; `order` → their ids, oldest first
 *   …/i                      hash of event ids → seq; at 4,096 it becomes
 *   …/j                      the older ones
 *   …/k                      list of marks "<seq> <bytes>": how many bytes had been appended by then
 *   <prefix>{b0}l2           the shard channel of the bucket
 *
 * `<prefix>{b0}presence…` stands beside them and is not the log's (`presence.redis.ts`).
 *
 * - Continuity [L4]: meta holds the beginning of the server's `master_replid` of when it was opened. That changes when a
 *   replica is promoted and when a server restarts, so a topic of another one is as good as gone. (It changes as well when
 *   a master gets its first replica or has had none for an hour: a new epoch for nothing, and no harm.) INFO is read once a
 *   call.
 * - Nodes of the first layout, which may share a server with this one while they are replaced one by one, have their meta
 *   at <prefix>{b0}m:<topic>. Where one stands the topic is as good as gone, and `open` removes it: so whoever follows a topic here
 *   notices at the next look at the heads that it was written to there, and takes a snapshot.
 * - Texts are bytes here and UTF-16 units to everybody else: lengths in units are kept beside them, and what is to be cut
 *   is counted.
 * - All keys expire together, an hour after the topic was last used; that is set anew at most once a minute.
 * - The server's clock is the only one.
 */
/** Of keys and channels. Another layout has another name. */
export const LAYOUT = "l2";

/** Begins every script. A replica, and a server that is being demoted, answers nothing of what it may not know. */
export const SCRIPT_SERVER = `
local call, pack, unpacked = redis.call, cmsgpack.pack, cmsgpack.unpack
local find, match, sub = string.find, string.match, string.sub
local info = call('INFO', 'replication')
if not find(info, 'role:master', 1, true) then return redis.error_reply('READONLY this server is a replica') end
local server = tonumber(sub(match(info, 'master_replid:(%x+)') or '', 1, 13), 16)
if not server then return redis.error_reply('ERR this server does not tell its master_replid') end
`;

/**
 * ARGV[1] is prefix and tag, ARGV[2] the time to live. The state of one topic at a time is in these variables. What of
 * meta is text is taken out of it by `names`, before it is used and before any of STILL changes: a delta does neither, and
 * writes back only the numbers that move. Each text that a script makes costs by its length.
 */
export const SCRIPT_TOPIC = `
local MOVING, STILL = '<dddddd', 'ddddIIHHHB'
local NUMBERS = MOVING .. STILL
local prefix, ttl = ARGV[1], ARGV[2]
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local stamp = string.format('%.0f', now)
local texts = struct.size(NUMBERS) + 1
local key, meta, named, renew
local fence, head, bytes, marked, touched, wn, wseq, units, size, nextno, complete, elen, wlen, plen, nlen
local epoch, writer, part, no, kind

-- False when there is no topic, or one of another server.
local function load(at, found)
  key, meta, named, renew = at, found, false, false
  if not meta then return false end
  local of
  head, bytes, wn, wseq, units, size, of, fence, marked, touched, nextno, complete, elen, wlen, plen, nlen =
    struct.unpack(NUMBERS, meta)
  return of == server
end

local function earlier() return prefix .. 'm:' .. sub(key, #prefix + ${LAYOUT.length + 2}) end

local function look(at)
  local there = load(at, call('GET', at))
  return there and call('EXISTS', earlier()) == 0
end

local function names()
  if named then return end
  local at = texts
  epoch, at = sub(meta, at, at + elen - 1), at + elen
  writer, at = sub(meta, at, at + wlen - 1), at + wlen + 1
  part, at = sub(meta, at, at + plen - 1), at + plen
  no, kind = sub(meta, at, at + nlen - 1), sub(meta, at + nlen)
  named = true
end

local function save()
  if now - touched >= 60000 then renew = true end
  if not renew and not named then
    return call('SETRANGE', key, '0', struct.pack(MOVING, head, bytes, wn, wseq, units, size))
  end
  names()
  if renew then touched = now end
  local whole = struct.pack(NUMBERS, head, bytes, wn, wseq, units, size, server, fence, marked, touched, nextno, complete,
    #epoch, #writer, #part, #no) .. epoch .. writer .. '\\n' .. part .. no .. kind
  if not renew then return call('SET', key, whole, 'KEEPTTL') end
  call('SET', key, whole, 'PX', ttl)
  for _, letter in ipairs({ '/s', '/p', '/w', '/i', '/j', '/k' }) do call('PEXPIRE', key .. letter, ttl) end
  for _, known in ipairs(call('HVALS', key .. '/p')) do call('PEXPIRE', key .. '/a' .. (unpacked(known)), ttl) end
end
`;

/** Answers {status, epoch, seq, fence, complete, part, kind, text, part, …}, oldest accumulator first. */
const STATE_REPLY = `
local function state(status)
  names()
  local known, parts, answer = call('HGETALL', key .. '/p'), {}, { status, epoch, head, fence, complete }
  for i = 1, #known, 2 do
    local pno, _, psize, pkind = unpacked(known[i + 1])
    if known[i] == part then psize = size end
    parts[#parts + 1] = { known[i], pkind, pno, psize }
  end
  table.sort(parts, function(a, b) return tonumber(a[3]) < tonumber(b[3]) end)
  for _, each in ipairs(parts) do
    local text = call('GET', key .. '/a' .. each[3]) or ''
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
if look(KEYS[1]) then
  names()
  if owner and claim < fence then return state('FENCED') end
  if epoch == wanted then return state('OK') end
  if not owner then return state('EXISTS') end
end
for _, known in ipairs(call('HVALS', key .. '/p')) do call('UNLINK', key .. '/a' .. (unpacked(known))) end
call('UNLINK', earlier(), key .. '/s', key .. '/p', key .. '/w', key .. '/i', key .. '/j', key .. '/k')
fence, head, bytes, marked, touched, complete = claim, tonumber(ARGV[6]), 0, 0, now, owner and 1 or 0
wn, wseq, units, size, nextno = 0, 0, 0, 0, 0
epoch, writer, part, no, kind, named, renew = wanted, '', '', '', '', true, true
for i = 7, #ARGV, 4 do
  nextno = nextno + 1
  call('SET', key .. '/a' .. nextno, ARGV[i + 3])
  call('HSET', key .. '/p', ARGV[i], pack(tostring(nextno), tonumber(ARGV[i + 2]), #ARGV[i + 3], ARGV[i + 1]))
end
save()
return state('OK')
`;

/** KEYS: meta. ARGV: …, fence. Answers {'NO_EPOCH'}, {'FENCED', fence} or the state. */
export const SEAL = `${SCRIPT_SERVER}${SCRIPT_TOPIC}${STATE_REPLY}
if not look(KEYS[1]) then return { 'NO_EPOCH' } end
local claim = tonumber(ARGV[3])
if fence > claim then return { 'FENCED', fence } end
fence, renew = claim, true
save()
return state('OK')
`;

/** KEYS: meta. Answers {'NO_EPOCH'} or the state. */
export const STATE = `${SCRIPT_SERVER}${SCRIPT_TOPIC}${STATE_REPLY}
if not look(KEYS[1]) then return { 'NO_EPOCH' } end
return state('OK')
`;

/** KEYS: metas. Answers for each "<seq> <fence> <epoch>", or "" when there is none. */
export const HEADS = `${SCRIPT_SERVER}${SCRIPT_TOPIC}
local answer = {}
for i, at in ipairs(KEYS) do
  answer[i] = ''
  if look(at) then
    names()
    answer[i] = head .. ' ' .. fence .. ' ' .. epoch
  end
end
return answer
`;

/**
 * KEYS: meta. ARGV: …, epoch, after, limit, bytes. Answers {reason} or {'OK', head, "<time>,<record><time>,…"}: the
 * entries that fit, at least one if there is one. Fetched in pages, so that large entries are not all held at once.
 */
export const READ = `${SCRIPT_SERVER}${SCRIPT_TOPIC}
if not look(KEYS[1]) then return { 'NO_EPOCH' } end
names()
if epoch ~= ARGV[3] then return { 'WRONG_EPOCH' } end
local after, limit, room = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if after > head then return { 'AHEAD' } end
local found, pieces = 0, {}
while found < limit and after + found < head do
  local wanted = after + found + 1
  local page = call('XRANGE', key .. '/s', wanted .. '-0', '+', 'COUNT', math.min(limit - found, 32))
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

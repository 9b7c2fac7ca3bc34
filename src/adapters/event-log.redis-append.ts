/** The script that appends; the layout of keys is drawn in `event-log.redis-scripts.ts`. */
import { SCRIPT_ACCUMULATORS } from "./event-log.redis-accumulators.ts";
import { SCRIPT_SERVER, SCRIPT_TOPIC } from "./event-log.redis-scripts.ts";

/** Each claim of a run is a writer, and all but the newest are fenced: more than a few are never asked for. */
const MAX_WRITERS = 64;
/** Numbers of one writer are spread over this many stretches between other events, or the oldest are forgotten. */
const MAX_STRETCHES = 64;
const REMEMBERED_IDS = 4096;

/** Stores entries: `push` trims by bytes as it goes, the end of a topic's turn by number. */
const SCRIPT_STORE = `
local function push(record)
  if bytes == 0 then renew = true end
  head = head + 1
  call('XADD', prefix .. 's:' .. topic, head .. '-0', stamp, record)
  fresh[#fresh + 1] = record
  bytes = bytes + #record
  if bytes - marked < markstep then return head end
  local marks = prefix .. 'k:' .. topic
  marked, renew = bytes, true
  call('RPUSH', marks, head .. ' ' .. bytes)
  local gone
  while true do
    local seq, by = match(call('LINDEX', marks, 0) or '', '^(%d+) (%d+)$')
    if not seq or bytes - by < room - markstep then break end
    gone = seq + 1
    call('LPOP', marks)
  end
  if gone then call('XTRIM', prefix .. 's:' .. topic, 'MINID', gone .. '-0') end
  return head
end
`;

/** Recognises repeats. The current writer's last counter and seq are \`wn\` and \`wseq\`. */
const SCRIPT_WRITERS = `
local function turn(id)
  local writers = prefix .. 'w:' .. topic
  if writer ~= '' then call('HSET', writers, 'n' .. writer, pack(wn, wseq)) end
  writer, wn, wseq = id, 0, 0
  local known = call('HGET', writers, 'n' .. id)
  if known then wn, wseq = unpacked(known) end
end

local function seqof(n)
  local seqthen
  for from, seq in string.gmatch(call('HGET', prefix .. 'w:' .. topic, 's' .. writer) or '', '(%d+) (%d+),') do
    if tonumber(from) > n then break end
    seqthen = seq + n - from
  end
  return seqthen or wseq
end

local function stretch(n, seq)
  local writers = prefix .. 'w:' .. topic
  local known = call('HGET', writers, 's' .. writer) or ''
  local _, count = string.gsub(known, ',', '')
  if count >= ${MAX_STRETCHES} then known = sub(known, find(known, ',', 1, true) + 1) end
  call('HSET', writers, 's' .. writer, known .. n .. ' ' .. seq .. ',')
  if n > 1 then return end
  renew = true
  local order = call('HGET', writers, 'order')
  order = order and unpacked(order) or {}
  order[#order + 1] = writer
  if #order > ${MAX_WRITERS} then
    local oldest = table.remove(order, 1)
    call('HDEL', writers, 'n' .. oldest, 's' .. oldest)
  end
  call('HSET', writers, 'order', pack(order))
end

local function known(id)
  return call('HGET', prefix .. 'i:' .. topic, id) or call('HGET', prefix .. 'j:' .. topic, id)
end

local function remember(id, seq)
  local newer = prefix .. 'i:' .. topic
  if call('HLEN', newer) >= ${REMEMBERED_IDS} then call('RENAME', newer, prefix .. 'j:' .. topic) end
  call('HSET', newer, id, seq)
  if call('HLEN', newer) == 1 then renew = true end
end
`;

/**
 * KEYS: metas, each once. ARGV: prefix and tag, time to live, channel, most events, most bytes, and one JSON array: what
 * has many arguments costs the driver more than the server saves. In it, for each topic its tagged name and number of
 * groups, for each group: epoch ('' for any), writer ('' for unfenced), fence, first counter,
 * number of entries, and for each entry: event id (unfenced only), record, and what it does to the accumulators:
 *
 *   ''   nothing
 *   'x'  part, offset, units, text
 *   'r'  message id, part index, length, '' or what begins there (its kind, after a 'b')
 *   'd'  message id
 *
 * Answers one line for each group: an item for each entry, or only the first where all are alike (+ and E, W):
 *
 *   +<seq>  appended, and the next ones follow it    =<seq>  applied before       E      no epoch
 *   W<epoch>  the topic's epoch is another           F<fence>  fenced             H<n>   a hole: n is expected
 *
 * What was appended is published in one message a call: for each topic its tagged name and epoch, the seq of its first
 * new entry, their time and number, and their records as they came. One message and not one for each topic, as that is
 * what costs the server and every node that hears it.
 */
export const APPEND = `${SCRIPT_SERVER}${SCRIPT_TOPIC}
local channel, most, room = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local trimstep, markstep = math.max(1, math.floor(most / 32)), math.floor(room / 32)
local fresh
${SCRIPT_ACCUMULATORS}${SCRIPT_STORE}${SCRIPT_WRITERS}
local args = cjson.decode(ARGV[6])
local at, lines, news, comma = 1, {}, {}, ',' .. stamp .. ','

local function skip(fenced)
  if not fenced then at = at + 1 end
  local op = args[at + 1]
  at = at + ((op == 'x' or op == 'r') and 6 or op == 'd' and 3 or 2)
end

local function apply()
  local seq, op = push(args[at]), args[at + 1]
  if op == 'x' then
    extend(args[at + 2], args[at + 3], args[at + 4], args[at + 5])
    at = at + 6
  elseif op == 'r' then
    reset(args[at + 2], args[at + 3], args[at + 4], args[at + 5])
    at = at + 6
  elseif op == 'd' then
    drop(args[at + 2])
    at = at + 3
  else
    at = at + 2
  end
  return seq
end

local function unfenced()
  local id = args[at]
  local seq = known(id)
  if seq then
    skip(false)
    return '=' .. seq
  end
  at = at + 1
  seq = apply()
  remember(id, seq)
  return '+' .. seq
end

local function fenced(n, claim)
  if n <= wn then
    skip(true)
    return '=' .. seqof(n)
  end
  if fence > claim or n ~= wn + 1 then
    skip(true)
    return fence > claim and 'F' .. fence or 'H' .. wn + 1
  end
  local seq = apply()
  if wn == 0 or seq - n ~= wseq - wn then stretch(n, seq) end
  wn, wseq = n, seq
  return '+' .. seq
end

for i, key in ipairs(KEYS) do
  local there = load(key)
  local tagged, before = args[at], head
  fresh = {}
  local groups = args[at + 1]
  at = at + 2
  for _ = 1, groups do
    local wanted, id, claim, n, count = args[at], args[at + 1], args[at + 2], args[at + 3], args[at + 4]
    at = at + 5
    local refused = not there and 'E' or wanted ~= '' and wanted ~= epoch and 'W' .. epoch
    if refused then
      for _ = 1, count do skip(id ~= '') end
      lines[#lines + 1] = refused
    else
      if id ~= '' and id ~= writer then turn(id) end
      local items, plain = {}, true
      for k = 1, count do
        local item = id == '' and unfenced() or fenced(n + k - 1, claim)
        if sub(item, 1, 1) ~= '+' then plain = false end
        items[k] = item
      end
      lines[#lines + 1] = plain and items[1] or table.concat(items, ' ')
    end
  end
  if #fresh > 0 then
    if math.floor(head / trimstep) > math.floor(before / trimstep) then
      call('XTRIM', prefix .. 's:' .. topic, 'MAXLEN', most)
    end
    save(key)
    news[#news + 1] = tagged .. epoch .. (before + 1) .. comma .. #fresh .. ':'
    for _, record in ipairs(fresh) do news[#news + 1] = record end
  end
end
if #news > 0 then call('SPUBLISH', channel, table.concat(news)) end
return table.concat(lines, '\\n')
`;

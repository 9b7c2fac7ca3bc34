/** The script that appends; the layout of keys is drawn in `event-log.redis-scripts.ts`. */
import { MAX_TEXT, SCRIPT_ACCUMULATORS } from "./event-log.redis-accumulators.ts";
import { SCRIPT_SERVER, SCRIPT_TOPIC } from "./event-log.redis-scripts.ts";

/** Each claim of a run is a writer, and all but the newest are fenced: more than a few are never asked for. */
const MAX_WRITERS = 64;
/** Numbers of one writer are spread over this many stretches between other events, or the oldest are forgotten. */
const MAX_STRETCHES = 64;
const REMEMBERED_IDS = 4096;
/** Topics whose meta is read in one command: a Lua stack has its bounds. */
const METAS = 500;

/** Stores entries: `push` trims by bytes as it goes, the end of a topic's turn by number. */
const SCRIPT_STORE = `
-- What the turn of a topic has published so far: the place of its heading in news, the id of its first entry.
local place, first, added

local function mark()
  local marks = key .. '/k'
  marked, renew = bytes, true
  call('RPUSH', marks, head .. ' ' .. bytes)
  local gone
  while true do
    local seq, by = match(call('LINDEX', marks, 0) or '', '^(%d+) (%d+)$')
    if not seq or bytes - by < room - markstep then break end
    gone = seq + 1
    call('LPOP', marks)
  end
  if gone then call('XTRIM', key .. '/s', 'MINID', gone .. '-0') end
end

local function push(record)
  if bytes == 0 then renew = true end
  head = head + 1
  local id = format('%d-0', head)
  call('XADD', key .. '/s', id, stamp, record)
  if added == 0 then
    place, first = filled + 1, id
    filled = filled + 6
  end
  added, filled = added + 1, filled + 1
  news[filled] = record
  bytes = bytes + #record
  if bytes - marked >= markstep then mark() end
end

local function finish()
  if head % trimstep < added then call('XTRIM', key .. '/s', 'MAXLEN', most) end
  save()
  news[place], news[place + 1], news[place + 2], news[place + 3] = key, '\\n', epoch, '\\n'
  news[place + 4], news[place + 5] = first, added == 1 and single or ',' .. stamp .. ',' .. added .. ':'
end
`;

/** Recognises repeats. The current writer's last counter and seq are \`wn\` and \`wseq\`. */
const SCRIPT_WRITERS = `
local function turn(id)
  if id == writer then return end
  local writers = key .. '/w'
  if writer ~= '' then call('HSET', writers, 'n' .. writer, pack(wn, wseq)) end
  writer, wn, wseq = id, 0, 0
  local known = call('HGET', writers, 'n' .. id)
  if known then wn, wseq = unpacked(known) end
end

local function seqof(n)
  local seqthen
  for from, seq in string.gmatch(call('HGET', key .. '/w', 's' .. writer) or '', '(%d+) (%d+),') do
    if tonumber(from) > n then break end
    seqthen = seq + n - from
  end
  return seqthen or wseq
end

local function stretch(n, seq)
  names()
  local writers = key .. '/w'
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

-- The answer for an entry that is not to be appended.
local function refusal(n, claim)
  if n <= wn then return '=' .. seqof(n) end
  if fence > claim then return 'F' .. fence end
  if n > wn + 1 then return 'H' .. wn + 1 end
end

-- What was just pushed is number n of the writer.
local function counted(n)
  if wn == 0 or head - n ~= wseq - wn then stretch(n, head) end
  wn, wseq = n, head
end

local function known(id)
  return call('HGET', key .. '/i', id) or call('HGET', key .. '/j', id)
end

local function remember(id)
  local newer = key .. '/i'
  local count = call('HLEN', newer)
  if count >= ${REMEMBERED_IDS} then
    call('RENAME', newer, key .. '/j')
    count = 0
  end
  call('HSET', newer, id, head)
  if count == 0 then renew = true end
end
`;

/**
 * A group of deltas: epoch, writer and part (a line break between them), fence, first counter, offset, and for each its
 * record, which ends with its text, and the text's UTF-16 units; where its bytes are more, minus the units, and the
 * bytes. Where the writer and the part are those of meta, and nothing is missing or repeated, meta's texts need not be looked at.
 */
const SCRIPT_DELTAS = `
local function delta()
  local record, length = args[at], args[at + 1]
  if length >= 0 then
    at = at + 2
    return record, length, length
  end
  at = at + 3
  return record, -length, args[at - 1]
end

local function smoothly(count, n)
  local piece, more
  for k = 1, count do
    local record, length, width = delta()
    push(record)
    counted(n + k - 1)
    units, size = units + length, size + width
    local text = width > 0 and sub(record, -width) or ''
    if k == 1 then piece = text else
      more = more or { piece }
      more[k] = text
    end
  end
  if more then piece = table.concat(more) end
  local number = named and no or sub(meta, texts + elen + wlen + 1 + plen, texts + elen + wlen + plen + nlen)
  if call('APPEND', key .. '/a' .. number, piece) == size then return end
  names()
  complete = 0
end

local function deltas(there, count)
  local wanted, whose, claim, n, offset = args[at], args[at + 1], args[at + 2], args[at + 3], args[at + 4]
  at = at + 5
  if there and n == wn + 1 and claim >= fence and offset == units and units + count * ${64 * 1024} <= ${MAX_TEXT} then
    local same
    if named then
      same = epoch == wanted and whose == writer .. '\\n' .. part
    else
      same = #wanted == elen and #whose == wlen + 1 + plen and find(meta, wanted, texts, true) == texts and
        find(meta, whose, texts + elen, true) == texts + elen
      if same then epoch = wanted end
    end
    if same then
      local before = head
      smoothly(count, n)
      return added == count and first or '+' .. before + 1
    end
  end
  if there then names() end
  local refused = not there and 'E' or wanted ~= epoch and 'W' .. epoch
  local id, name = match(whose, '^([^\\n]*)\\n(.*)$')
  if there and not refused then turn(id) end
  local items = {}
  for k = 1, count do
    local record, length, width = delta()
    local item = refused or refusal(n + k - 1, claim)
    if not item then
      push(record)
      counted(n + k - 1)
      extend(name, offset, length, width > 0 and sub(record, -width) or '')
      item = '+' .. head
    end
    items[k] = item
    offset = offset + length
  end
  return refused or table.concat(items, ' ')
end
`;

/**
 * KEYS: metas, each once. ARGV: prefix and tag, time to live, channel, most events, most bytes, and one JSON array: what
 * has many arguments costs the driver more than the server saves. In it, for each topic its number of groups, and for
 * each group its number of entries and either what SCRIPT_DELTAS describes or, with the number below zero: epoch
 * ('' for any), writer ('' for unfenced), fence, first counter, and for each entry: event id (unfenced only), record, and what
 * it does to the accumulators:
 *
 *   ''   nothing
 *   'x'  part, offset, units, text
 *   'r'  message id, part index, length, '' or what begins there (its kind, after a 'b')
 *   'd'  message id
 *
 * Answers one line for each group: "<seq>-0" or "+<seq>" where all were appended one after the other, E or W where the
 * topic is not the one, else an item for each entry:
 *
 *   +<seq>  appended            =<seq>  applied before     E      no epoch
 *   W<epoch>  the topic's epoch is another                 F<fence>  fenced      H<n>   a hole: n is expected
 *
 * What was appended is published in one message a call (`event-log.redis-records.ts`). One message and not one for each
 * topic, as that is what costs the server and every node that hears it.
 *
 * To make a text out of a number is dear in Lua, as is every argument of a command that is a number: neither is done
 * for each delta but once.
 */
export const APPEND = `${SCRIPT_SERVER}${SCRIPT_TOPIC}
local format = string.format
local channel, most, room = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local trimstep, markstep = math.max(1, math.floor(most / 32)), math.floor(room / 32)
local args = cjson.decode(ARGV[6])
local at, lines, news, filled, single = 1, {}, {}, 0, ',' .. stamp .. ',1:'
${SCRIPT_ACCUMULATORS}${SCRIPT_STORE}${SCRIPT_WRITERS}${SCRIPT_DELTAS}
local function skip(fenced)
  if not fenced then at = at + 1 end
  local op = args[at + 1]
  at = at + ((op == 'x' or op == 'r') and 6 or op == 'd' and 3 or 2)
end

local function apply()
  local op = args[at + 1]
  push(args[at])
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
  return '+' .. head
end

local function unfenced()
  local id = args[at]
  local seq = known(id)
  if seq then
    skip(false)
    return '=' .. seq
  end
  at = at + 1
  local item = apply()
  remember(id)
  return item
end

local function fenced(n, claim)
  local item = refusal(n, claim)
  if item then
    skip(true)
    return item
  end
  item = apply()
  counted(n)
  return item
end

local function others(there, count)
  local wanted, id, claim, n = args[at], args[at + 1], args[at + 2], args[at + 3]
  at = at + 4
  if there then names() end
  local refused = not there and 'E' or wanted ~= '' and wanted ~= epoch and 'W' .. epoch
  if refused then
    for _ = 1, count do skip(id ~= '') end
    return refused
  end
  if id ~= '' then turn(id) end
  local items = {}
  for k = 1, count do items[k] = id == '' and unfenced() or fenced(n + k - 1, claim) end
  return table.concat(items, ' ')
end

for from = 1, #KEYS, ${METAS} do
  local to = math.min(#KEYS, from + ${METAS - 1})
  local metas = call('MGET', unpack(KEYS, from, to))
  for i = from, to do
    local there = load(KEYS[i], metas[i - from + 1])
    local groups = args[at]
    at, added = at + 1, 0
    for _ = 1, groups do
      local count = args[at]
      at = at + 1
      lines[#lines + 1] = count > 0 and deltas(there, count) or others(there, -count)
    end
    if added > 0 then finish() end
  end
end
if filled > 0 then call('SPUBLISH', channel, table.concat(news)) end
return table.concat(lines, '\\n')
`;

/**
 * Accumulators, as part of the script that appends (`event-log.redis-append.ts`). The part that grows lies in the
 * variables of its topic (part, no, units, size, kind), the others in the hash `/p`; so a delta costs one APPEND.
 */

/** Only one run of a conversation is active, so anything near this many is a leftover; the oldest goes. */
const MAX_PARTS = 256;
/** UTF-16 units of one part. */
export const MAX_TEXT = 1024 * 1024;

export const SCRIPT_ACCUMULATORS = `
local function textkey(number) return key .. '/a' .. number end

-- How many bytes the first units of a text are, and how many units that is: one less before a surrogate pair that the
-- end would cut. Counted by the block, then by the character.
local function bytesof(text, wanted)
  local from, count = 1, 0
  while from + 1023 <= #text do
    local block = sub(text, from, from + 1023)
    local _, tails = string.gsub(block, '[\\128-\\191]', '')
    local _, wides = string.gsub(block, '[\\240-\\247]', '')
    if count + 1024 - tails + wides >= wanted then break end
    from, count = from + 1024, count + 1024 - tails + wides
  end
  while from <= #text do
    local byte = string.byte(text, from)
    if byte < 128 or byte > 191 then
      local width = byte > 239 and 2 or 1
      if count + width > wanted then break end
      count = count + width
    end
    from = from + 1
  end
  return from - 1, count
end

local function putback()
  if part == '' then return end
  call('HSET', key .. '/p', part, pack(no, units, size, kind))
  part = ''
end

local function forget(name)
  if name == part then part = '' end
  local known = call('HGET', key .. '/p', name)
  call('HDEL', key .. '/p', name)
  call('UNLINK', textkey((unpacked(known))))
end

local function begin(name, what)
  putback()
  if call('HLEN', key .. '/p') >= ${MAX_PARTS} then
    local oldest, least
    local all = call('HGETALL', key .. '/p')
    for i = 1, #all, 2 do
      local number = tonumber((unpacked(all[i + 1])))
      if not least or number < least then oldest, least = all[i], number end
    end
    forget(oldest)
    complete = 0
  end
  nextno = nextno + 1
  part, no, units, size, kind = name, tostring(nextno), 0, 0, what
  call('SET', textkey(no), '', 'PX', ttl)
  call('HSET', key .. '/p', part, pack(no, units, size, kind))
end

-- False when there is no such part; there is no current one then.
local function choose(name)
  putback()
  local known = call('HGET', key .. '/p', name)
  if not known then return false end
  part = name
  no, units, size, kind = unpacked(known)
  return true
end

local function extend(name, offset, length, delta)
  if name ~= part and not choose(name) then begin(name, 't') end
  if offset > units then complete = 0 return end
  local skip = units - offset
  if length <= skip then return end
  if skip > 0 then
    local cut, counted = bytesof(delta, skip)
    if counted ~= skip then complete = 0 return end
    delta = sub(delta, cut + 1)
  end
  if offset + length > ${MAX_TEXT} then complete = 0 return end
  if call('APPEND', textkey(no), delta) ~= size + #delta then complete = 0 end
  units, size = offset + length, size + #delta
end

local function parts(message)
  local mine = {}
  for _, name in ipairs(call('HKEYS', key .. '/p')) do
    local index, of = match(name, '^(%d+):(.*)$')
    if of == message then mine[#mine + 1] = { name, tonumber(index) } end
  end
  return mine
end

local function reset(message, index, length, what)
  local name = index .. ':' .. message
  local from = tonumber(index)
  if length > 0 then from = from + 1 end
  putback()
  for _, each in ipairs(parts(message)) do
    if each[2] >= from then forget(each[1]) end
  end
  if what ~= '' then begin(name, sub(what, 2)) end
  local known = choose(name)
  complete = (length == 0 or known and units >= length) and 1 or 0
  if not known or units <= length then return end
  local text = call('GET', textkey(no)) or ''
  local cut, counted = length, length
  if size ~= units then cut, counted = bytesof(text, length) end
  if counted ~= length or #text ~= size then complete = 0 end
  call('SET', textkey(no), sub(text, 1, cut), 'KEEPTTL')
  units, size = counted, math.min(cut, #text)
end

local function drop(message)
  for _, each in ipairs(parts(message)) do forget(each[1]) end
end
`;

/**
 * The counting as Redis does it, each in one script and so in one step that nothing comes between. Every script reads Redis' own
 * clock: instances whose clocks differ would otherwise put the same call into different windows. Tests pass a time as the last
 * argument instead.
 */
const CLOCK = `
local now = tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/**
 * One call against a sliding window, as SlidingWindowStorage counts it: the same arithmetic in the same order, so that both
 * round alike. Kept as "window current previous"; a refused call writes nothing.
 * KEYS: counter. ARGV: window in ms, limit. Answers whether it is refused, how many count, and the ms until there is room.
 */
const WINDOW_HIT = `
local windowMs, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
${CLOCK}
local window = math.floor(now / windowMs)
local current, previous = 0, 0
local kept = redis.call('GET', KEYS[1])
if kept then
  local keptWindow, keptCurrent, keptPrevious = string.match(kept, '^(%d+) (%d+) (%d+)$')
  if tonumber(keptWindow) == window then
    current, previous = tonumber(keptCurrent), tonumber(keptPrevious)
  elseif tonumber(keptWindow) == window - 1 then
    previous = tonumber(keptCurrent)
  end
end
local elapsed = now - window * windowMs
local weighted = previous * (1 - elapsed / windowMs) + current
local blocked = weighted + 1 > limit
if not blocked then
  current = current + 1
  redis.call('SET', KEYS[1], string.format('%.0f %d %d', window, current, previous), 'PX', 2 * windowMs)
end
local wait = windowMs - elapsed
if blocked or weighted + 2 > limit then
  if current + 1 <= limit and previous > 0 then
    wait = math.max(1, windowMs * (1 - (limit - 1 - current) / previous) - elapsed)
  else
    wait = windowMs - elapsed + math.max(1, windowMs * (1 - (limit - 1) / current))
  end
end
local counted = blocked and math.max(weighted, limit) or weighted + 1
return {blocked and 1 or 0, math.ceil(counted), string.format('%.17g', wait)}
`;

/** Reads a subject's failed attempts, the times of which are kept as "t1 t2 ...". ARGV: window in ms, limit, clock, forget in ms. */
const ATTEMPTS = `
local windowMs, limit, forgetMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
${CLOCK}
local times = {}
for time in string.gmatch(redis.call('GET', KEYS[1]) or '', '%d+') do times[#times + 1] = tonumber(time) end
if #times > 0 and now - times[#times] >= (#times < limit and windowMs or forgetMs) then times = {} end
local function keep()
  local texts = {}
  for at, time in ipairs(times) do texts[at] = string.format('%.0f', time) end
  redis.call('SET', KEYS[1], table.concat(texts, ' '), 'PX', #times < limit and windowMs or forgetMs)
end
`;

/** Further ARGV: the longest wait in ms, how many times are kept. Answers allowed, failures, and the ms to wait. */
const ATTEMPT_TAKE = `${ATTEMPTS}
if #times >= limit then
  local wait = times[#times] + math.min(windowMs * 2 ^ (#times - limit), tonumber(ARGV[5])) - now
  if wait > 0 then return {0, #times, wait} end
end
times[#times + 1] = now
if #times > tonumber(ARGV[6]) then table.remove(times, 1) end
keep()
return {1, #times, 0}
`;

const ATTEMPT_GIVE_BACK = `${ATTEMPTS}
table.remove(times)
if #times > 0 then keep() else redis.call('DEL', KEYS[1]) end
return 0
`;

const ATTEMPT_FAILURES = `${ATTEMPTS}
return #times
`;

/** The scripts as ioredis adds them to a client: sent once in full, then by their digest. */
export const REDIS_SCRIPTS = {
  windowHit: { lua: WINDOW_HIT, numberOfKeys: 1 },
  attemptTake: { lua: ATTEMPT_TAKE, numberOfKeys: 1 },
  attemptGiveBack: { lua: ATTEMPT_GIVE_BACK, numberOfKeys: 1 },
  attemptFailures: { lua: ATTEMPT_FAILURES, numberOfKeys: 1 },
};

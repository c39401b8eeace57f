-- Each thread sends the requests of its own file ("<length>\n<request>…"). At the end the numbers of
-- answers and errors are printed as JSON.
--
-- wrk -s wrk.lua URL -- FOLDER again|once

local threads = 0

function setup(thread)
  thread:set('number', threads)
  threads = threads + 1
end

function init(args)
  requests, position, once = {}, 0, args[2] == 'once'
  local file = assert(io.open(args[1] .. '/' .. number, 'rb'))
  for length in function() return file:read('*n', 1) end do
    requests[#requests + 1] = file:read(length)
  end
  file:close()
end

function request()
  position = position + 1
  if position > #requests then
    assert(not once, 'there are not enough requests')
    position = 1
  end
  return requests[position]
end

function done(summary)
  local failed = 0
  for _, number in pairs(summary.errors) do
    failed = failed + number
  end
  io.write(string.format(
    '\n{"answered": %d, "seconds": %f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, failed))
end

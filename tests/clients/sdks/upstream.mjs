// An upstream in the dialect of OpenAI: each prompt is answered in a way of its own.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export const GREETING = 'Grüße, 🌍!\n日本'

/** `GET /open` tells how many answers are under way. */
export async function startUpstream() {
  const upstream = { open: 0, asked: [] }
  const server = createServer(async (request, response) => {
    if (request.url === '/open') return response.end(String(upstream.open))
    let body = ''
    for await (const part of request) body += part
    const asked = JSON.parse(body)
    upstream.asked.push({ ...asked, authorization: request.headers.authorization, path: request.url })
    const { content } = asked.messages.at(-1)
    const prompt = typeof content === 'string' ? content : content.map(part => part.text).join('')
    if (prompt === 'refuse') {
      response.writeHead(429, { 'Content-Type': 'application/json', 'retry-after': '7', 'x-request-id': 'r-1' })
      return response.end(JSON.stringify({ error: { message: 'too much', type: 'tokens', param: null, code: 'rate_limit_exceeded' } }))
    }
    if (prompt === 'refuse the key') {
      response.writeHead(401, { 'Content-Type': 'application/json' })
      return response.end(JSON.stringify({ error: { message: 'the key secret is not known', type: 'invalid_request_error' } }))
    }
    if (prompt === 'a page') {
      response.writeHead(200, { 'Content-Type': 'text/html' })
      return response.end('<h1>hello</h1>')
    }
    if (!asked.stream) {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      const message = { role: 'assistant', content: GREETING }
      return response.end(JSON.stringify({ ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }))
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'x-request-id': 'r-2' })
    upstream.open++
    response.on('close', () => { upstream.open-- })
    for await (const bytes of answer(prompt, response)) response.write(bytes)
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  upstream.url = `http://127.0.0.1:${server.address().port}`
  return upstream
}

// The gateway does not know the last of these.
const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', system_fingerprint: 'fp-1' }
const chunk = (delta, finish_reason = null) => `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\r\n\r\n`
const usage = `data: ${JSON.stringify({ ...head, choices: [], usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 } })}\n\n`

async function* answer(prompt, response) {
  yield ': from the upstream\n\n'
  yield chunk({ role: 'assistant', content: '' })
  if (prompt === 'greet') {
    // Cut everywhere, also within characters.
    for (const byte of Buffer.from([...GREETING].map(content => chunk({ content })).join(''))) yield Buffer.of(byte)
  } else if (prompt === 'count') {
    for (let n = 1; n <= 30; n++) {
      yield chunk({ content: `${n} ` })
      await sleep(50)
    }
  } else if (prompt === 'forever') {
    while (!response.destroyed) {
      yield chunk({ content: 'on and ' })
      await sleep(50)
    }
  } else {
    yield chunk({ content: 'one ' })
    yield chunk({ content: 'two ' })
    // What was sent arrives before the end.
    await sleep(100)
    if (prompt === 'hang up') return response.destroy()
    if (prompt === 'break') return yield 'data: {"error":{"message":"out of words","type":"server_error"}}\n\n'
  }
  yield chunk({}, prompt === 'be short' ? 'length' : 'stop')
  yield usage
  yield 'data: [DONE]\n\n'
}

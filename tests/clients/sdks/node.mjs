// What the SDKs for Node have to see.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT, require, until, wire } from '../common.mjs'
import { GREETING } from './upstream.mjs'

const OpenAI = require('openai')
const Anthropic = require('@anthropic-ai/sdk')
const { DefaultChatTransport, readUIMessageStream } = require('ai')
const { Client } = require('@modelcontextprotocol/sdk/client/index.js')
const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js')

const question = content => ({ model: 'm', messages: [{ role: 'user', content }] })

export function checks(urls, upstream) {
  return {
    ...prefixed('openai', openai(urls, upstream)),
    ...prefixed('anthropic', anthropic(urls, upstream)),
    ...prefixed('ai', ai(urls, upstream)),
    'mcp (Node): an answer is resumed after its stream was cut': () => mcp(urls.conformance, async (client, call) => {
      const tools = (await client.listTools()).tools.map(tool => tool.name)
      assert.deepEqual(tools, ['t', 'fails', 'waits', 'running'])
      assert.equal(await call('t'), 'resumed')
    }),
    'mcp (Node): an error after the cut is one': () => mcp(urls.conformance, async (_, call) => {
      await assert.rejects(call('fails'), /-32000: it broke/)
    }),
    'mcp (Node): a call that is cancelled stops': () => mcp(urls.conformance, async (_, call) => {
      const leaving = new AbortController()
      const waiting = call('waits', leaving.signal)
      await until('a call at work', async () => await call('running') === '1', 10)
      leaving.abort()
      await assert.rejects(waiting, /abort/i)
      await until('its end', async () => await call('running') === '0', 10)
    }),
  }
}

const prefixed = (name, all) => Object.fromEntries(Object.entries(all).map(([what, run]) => [`${name} (Node): ${what}`, run]))

function openai(urls, upstream) {
  const at = base => new OpenAI({ apiKey: 'x', baseURL: `${base}/v1`, maxRetries: 0 })
  const client = at(urls.gateway)
  const ask = (prompt, more) => client.chat.completions.create({ ...question(prompt), stream: true, ...more })
  const read = async (stream, seen = { text: '' }) => {
    for await (const chunk of await stream) {
      seen.text += chunk.choices[0]?.delta.content ?? ''
      seen.finish = chunk.choices[0]?.finish_reason ?? seen.finish
      seen.usage = chunk.usage ?? seen.usage
      seen.fingerprint = chunk.system_fingerprint
    }
    return seen
  }
  return {
    'an answer streams, with its finish reason, its usage, and what nobody knows of': async () => {
      const seen = await read(ask('greet', { stream_options: { include_usage: true } }))
      assert.deepEqual(seen, { text: GREETING, finish: 'stop', usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 }, fingerprint: 'fp-1' })
      const asked = upstream.asked.at(-1)
      assert.equal(asked.authorization, 'Bearer secret', 'the key of the gateway, not that of the client')
      assert.equal(asked.path, '/v1/chat/completions')
    },
    'an answer that is no stream': async () => {
      const { choices } = await client.chat.completions.create(question('greet'))
      assert.equal(choices[0].message.content, GREETING)
    },
    'headers of the upstream pass': async () => {
      const { request_id } = await ask('greet').withResponse()
      assert.equal(request_id, 'r-2')
    },
    'an error in the middle is the typed one, behind what came before it': async () => {
      for (const [prompt, message] of [['break', 'out of words'], ['hang up', 'the upstream broke off']]) {
        const seen = { text: '' }
        await assert.rejects(read(ask(prompt), seen), error => error instanceof OpenAI.APIError && error.message === message && error.type === 'server_error')
        assert.equal(seen.text, 'one two ')
      }
    },
    'a refusal of the upstream is the typed error': async () => {
      await assert.rejects(ask('refuse'), error => error instanceof OpenAI.RateLimitError
        && error.code === 'rate_limit_exceeded' && error.headers.get('retry-after') === '7' && error.requestID === 'r-1')
    },
    'a request that is none is the typed error': async () => {
      const nothing = at(urls.embedded).chat.completions.create({ model: 'm', messages: [], stream: true })
      await assert.rejects(nothing, error => error instanceof OpenAI.BadRequestError && error.type === 'invalid_request_error')
    },
    'what the upstream says of the key stays here': async () => {
      await assert.rejects(ask('refuse the key'), error => error.status === 502 && !error.message.includes('secret'))
    },
    'a request that is no object is refused': async () => {
      for (const body of ['[]', '"x"', '5', 'null']) {
        const answer = await fetch(`${urls.gateway}/v1/chat/completions`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
        assert.equal(answer.status, 422)
        assert.equal((await answer.json()).error.type, 'invalid_request_error')
      }
    },
    'a page of another origin, which cannot say that it sends JSON, does not get at the key': async () => {
      const asked = upstream.asked.length
      const answer = await fetch(`${urls.gateway}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(question('greet')) })
      assert.equal(answer.status, 415)
      assert.equal((await answer.json()).error.type, 'invalid_request_error')
      assert.equal(upstream.asked.length, asked)
    },
    'what cut an answer short is said': async () => {
      assert.equal((await read(ask('be short'))).finish, 'length')
      let last
      for await (const event of await client.responses.create({ model: 'm', input: 'be short', stream: true })) last = event
      assert.equal(last.type, 'response.incomplete')
      assert.deepEqual(last.response.incomplete_details, { reason: 'max_output_tokens' })
      assert.equal(last.response.usage.total_tokens, 8)
    },
    'who leaves stops the upstream': () => leaves(upstream, async () => {
      let words = 0
      for await (const chunk of await ask('forever')) if ((words += chunk.choices[0].delta.content ? 1 : 0) === 3) break
    }),
    'responses stream': async () => {
      let text = '', last
      for await (const event of await client.responses.create({ model: 'm', input: 'greet', stream: true })) {
        if (event.type === 'response.output_text.delta') text += event.delta
        last = event
      }
      assert.equal(text, GREETING)
      assert.equal(last.type, 'response.completed')
      assert.equal(last.response.output[0].content[0].text, GREETING)
      assert.equal(last.response.usage.total_tokens, 8)
    },
    'responses are put together, whatever the question is made of': async () => {
      const input = [
        { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
        { type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text: 'hello', annotations: [] }] },
        { role: 'user', content: 'greet' },
      ]
      const stream = client.responses.stream({ model: 'm', instructions: 'be kind', input })
      let text = ''
      stream.on('response.output_text.delta', ({ delta, snapshot }) => assert.equal(snapshot, text += delta))
      assert.equal((await stream.finalResponse()).output_text, GREETING)
      assert.equal(text, GREETING)
      assert.deepEqual(upstream.asked.at(-1).messages, [['system', 'be kind'], ['user', 'hi'], ['assistant', 'hello'], ['user', 'greet']]
        .map(([role, content]) => ({ role, content })))
      const picture = [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:,' }] }]
      await assert.rejects(client.responses.create({ model: 'm', input: picture, stream: true }), OpenAI.BadRequestError)
    },
    'who leaves a response stops the upstream': () => leaves(upstream, async () => {
      let words = 0
      for await (const { type } of await client.responses.create({ model: 'm', input: 'forever', stream: true })) {
        if (type === 'response.output_text.delta' && ++words === 3) break
      }
    }),
    'an error in the middle of a response is an event of its own': async () => {
      const events = []
      for await (const event of await client.responses.create({ model: 'm', input: 'break', stream: true })) events.push(event)
      assert.deepEqual([events.at(-1).type, events.at(-1).message], ['error', 'out of words'])
    },
    'the text model of the gateway answers': async () => {
      const stream = at(urls.embedded).chat.completions.create({ ...question('hi'), stream: true, max_tokens: 5 })
      const { text, finish } = await read(stream)
      assert.equal(text.split(' ').length, 6)
      assert.equal(finish, 'length')
    },
    'answers that are always the same': async () => {
      const fixed = at(urls.conformance)
      assert.equal((await read(fixed.chat.completions.create({ ...question('hi'), stream: true }))).text, 'Hello €豆\nwörld')
      let text = ''
      for await (const event of await fixed.responses.create({ model: 'm', input: 'hi', stream: true })) text += event.delta ?? ''
      assert.equal(text, 'Hi there')
    },
  }
}

function anthropic(urls, upstream) {
  const at = base => new Anthropic({ apiKey: 'x', baseURL: base, maxRetries: 0 })
  const client = at(urls.gateway)
  const ask = prompt => client.messages.stream({ ...question(prompt), max_tokens: 9 })
  const summary = ({ content, stop_reason, usage: { input_tokens, output_tokens } }) => ({ text: content[0].text, stop_reason, input_tokens, output_tokens })
  return {
    'an answer streams, with its stop reason and its usage': async () => {
      const message = await ask('greet').finalMessage()
      assert.deepEqual(summary(message), { text: GREETING, stop_reason: 'end_turn', input_tokens: 3, output_tokens: 5 })
      assert.equal(upstream.asked.at(-1).max_tokens, 9)
      assert.equal((await ask('be short').finalMessage()).stop_reason, 'max_tokens')
    },
    'an answer that is no stream': async () => {
      const message = await client.messages.create({ ...question('greet'), max_tokens: 9 })
      assert.deepEqual(summary(message), { text: GREETING, stop_reason: 'end_turn', input_tokens: 3, output_tokens: 5 })
    },
    'an error in the middle is the typed one, behind what came before it': async () => {
      for (const [prompt, message] of [['break', 'out of words'], ['hang up', 'the upstream broke off']]) {
        const stream = ask(prompt)
        let text = ''
        stream.on('text', delta => { text += delta })
        await assert.rejects(stream.finalMessage(), error => error instanceof Anthropic.APIError
          && error.error.error.type === 'api_error' && error.error.error.message === message)
        assert.equal(text, 'one two ')
      }
    },
    'a refusal of the upstream is the typed error': async () => {
      await assert.rejects(ask('refuse').finalMessage(), error => error instanceof Anthropic.RateLimitError
        && error.error.error.type === 'rate_limit_error' && error.error.error.message === 'too much')
    },
    'what the upstream says of the key stays here': async () => {
      await assert.rejects(ask('refuse the key').finalMessage(), error => error.status === 502 && !error.message.includes('secret'))
    },
    'an upstream that answers something else is an error of its own': async () => {
      await assert.rejects(ask('a page').finalMessage(), error => error.status === 502 && /no event stream/.test(error.message))
    },
    'who leaves stops the upstream': () => leaves(upstream, async () => {
      let deltas = 0
      for await (const event of ask('forever')) if (event.type === 'content_block_delta' && ++deltas === 3) break
    }),
    'answers that are always the same': async () => {
      assert.equal(summary(await at(urls.conformance).messages.stream({ ...question('hi'), max_tokens: 9 }).finalMessage()).text, 'Hello €豆')
    },
  }
}

function ai(urls, upstream) {
  const transport = base => new DefaultChatTransport({ api: `${base}/api/chat` })
  const send = (base, chatId, text) => transport(base).sendMessages({
    chatId,
    messages: [{ id: 'u1', role: 'user', parts: [{ type: 'text', text }] }],
    trigger: 'submit-message',
  })
  const read = async stream => {
    const seen = {}
    const messages = readUIMessageStream({ stream, onError: error => { seen.error = error.message } })
    for await (const { parts, metadata } of messages) {
      Object.assign(seen, { text: parts.filter(part => part.type === 'text').map(part => part.text).join(''), metadata })
    }
    return seen
  }
  return {
    'an answer streams, with its usage; then there is nothing to resume': async () => {
      const seen = await read(await send(urls.gateway, 'greeted', 'greet'))
      assert.deepEqual(seen, { text: GREETING, metadata: { inputTokens: 3, outputTokens: 5 } })
      assert.ok(!('model' in upstream.asked.at(-1)), 'none was asked for')
      assert.equal(await transport(urls.gateway).reconnectToStream({ chatId: 'greeted' }), null)
      assert.equal(await transport(urls.gateway).reconnectToStream({ chatId: 'never' }), null)
    },
    'an answer says why it ended': async () => {
      for (const [prompt, reason] of [['greet', 'stop'], ['be short', 'length']]) {
        const chunks = []
        for await (const chunk of await send(urls.gateway, prompt, prompt)) chunks.push(chunk)
        assert.deepEqual(chunks.at(-1), { type: 'finish', finishReason: reason, messageMetadata: { inputTokens: 3, outputTokens: 5 } })
      }
    },
    'an error in the middle is one, behind what came before it': async () => {
      for (const [prompt, message] of [['break', 'out of words'], ['hang up', 'the upstream broke off']]) {
        const { text, error } = await read(await send(urls.gateway, prompt, prompt))
        assert.deepEqual({ text, error }, { text: 'one two ', error: message })
      }
    },
    'a refusal of the upstream is an error': async () => {
      await assert.rejects(send(urls.gateway, 'refused', 'refuse'), /too much/)
    },
    'an answer is resumed after a cut, and the upstream is asked once': async () => {
      const chatId = 'chat/1 ü'
      const asked = upstream.asked.length
      const line = await wire(() => Number(new URL(urls.gateway).port))
      const reader = (await send(line.url.replace(/\/$/, ''), chatId, 'count')).getReader()
      let before = ''
      while (before.split(' ').length < 5) before += (await reader.read()).value.delta ?? ''
      line.cut()
      await assert.rejects(async () => { while (!(await reader.read()).done); })
      await sleep(200)
      assert.equal(upstream.open, 1, 'the upstream goes on')
      const { text } = await read(await transport(urls.gateway).reconnectToStream({ chatId }))
      assert.equal(text, Array.from({ length: 30 }, (_, n) => `${n + 1} `).join(''))
      assert.ok(text.startsWith(before))
      assert.equal(upstream.asked.length, asked + 1)
      line.close()
      return `${before.split(' ').length - 1} of 30 words were there`
    },
    'what the guide writes is read': async () => {
      const guide = readFileSync(join(ROOT, 'sse-tower/src/guide/llm.md'), 'utf8')
      const answer = guide.slice(guide.indexOf('let start = '), guide.indexOf('the quota of key'))
      const events = [...answer.matchAll(/data: (.*?)\\n\\n/g)].map(([, data]) => `data: ${data.replaceAll('\\"', '"')}\n\n`)
      const transport = new DefaultChatTransport({ api: urls.gateway, fetch: async () => new Response(events.join('')) })
      const seen = await read(await transport.sendMessages({ chatId: 'guide', messages: [], trigger: 'submit-message' }))
      assert.deepEqual(seen, { text: 'Hello, world', metadata: { completion_tokens: 3 } })
    },
    'a name that nobody can remember is refused': async () => {
      await assert.rejects(send(urls.gateway, 'x'.repeat(10_000), 'greet'))
    },
    'who stops an answer and asks again gets the new one, and the upstream stops': async () => {
      for (const chatId of ['stopped', 'lost']) {
        const leaving = new AbortController()
        const messages = [{ id: 'u1', role: 'user', parts: [{ type: 'text', text: 'forever' }] }]
        const first = (await transport(urls.gateway).sendMessages({ chatId, messages, trigger: 'submit-message', abortSignal: leaving.signal })).getReader()
        for (let n = 0; n < 4; n++) await first.read()
        // Stopped by the page, or still there, as in another tab.
        if (chatId === 'stopped') leaving.abort()
        const { text } = await read(await send(urls.gateway, chatId, 'greet'))
        assert.equal(text, GREETING)
        await until('end of the upstream', () => upstream.open === 0, 10)
        await assert.rejects(async () => { while (!(await first.read()).done); })
      }
    },
    'on the wire an answer says its version and ends with [DONE], resumed or not': async () => {
      const body = JSON.stringify({ id: 'wire', messages: [{ role: 'user', parts: [{ type: 'text', text: 'count' }] }] })
      const answers = await Promise.all([
        fetch(`${urls.gateway}/api/chat`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }),
        sleep(500).then(() => fetch(`${urls.gateway}/api/chat/wire/stream`)),
      ])
      for (const answer of answers) {
        assert.equal(answer.headers.get('x-vercel-ai-ui-message-stream'), 'v1')
        assert.match(await answer.text(), /\ndata: {"type":"finish",[^\n]+}\n\n(id: .*\n)?data: \[DONE\]\n\n$/)
      }
    },
    'answers that are always the same': async () => {
      assert.equal((await read(await send(urls.conformance, 'c1', 'hi'))).text, 'Hello')
      assert.equal(await transport(urls.conformance).reconnectToStream({ chatId: 'c1' }), null)
    },
  }
}

/** A client, and a function that calls a tool and takes the text of its answer. */
async function mcp(base, use) {
  const client = new Client({ name: 'tests', version: '1' }, { capabilities: {} })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`)))
  await use(client, async (name, signal) => {
    const { content } = await client.callTool({ name, arguments: {} }, undefined, { timeout: 20_000, signal })
    return content[0].text
  })
  await client.close()
}

/** Somebody asks for an answer without an end, and leaves. */
async function leaves(upstream, ask) {
  assert.equal(upstream.open, 0)
  await ask()
  await until('end of the upstream', () => upstream.open === 0, 10)
}

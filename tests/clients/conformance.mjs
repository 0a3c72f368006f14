// Reads the streams of `conformance serve` with clients that are not ours: the EventSource of
// Chromium and of Firefox, and three of Node.
//
//     CONFORMANCE=target/debug/examples/conformance node conformance.mjs [CLIENT...]
//     SSE_REFERENCE=… node conformance.mjs record    writes tests/client/chromium.jsonl as Chromium
//                                                     makes it today
//
// SSE_REFERENCE=http://127.0.0.1:PORT asks a server that runs there instead.
//
// Needs the packages of package.json (in `node_modules` here, or in a directory named by
// NODE_PATH), Chromium (`CHROMIUM`, else /usr/bin/chromium) and Firefox (`FIREFOX`, else
// /usr/bin/firefox-esr). Starts and stops the server itself. Exit code 1 if a check failed.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHROMIUM, FIREFOX, ROOT, check, fail, failed, require, start, stopAll } from './common.mjs'

let server

async function main() {
  // Whatever happens, this ends.
  setTimeout(() => { fail('conformance.mjs: not done after four minutes'); end() }, 240_000).unref()
  const clients = { chromium, firefox, eventsource, undici, 'eventsource-client': eventsourceClient }
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(clients)
  try {
    server = process.env.SSE_REFERENCE ?? await serve()
    if (wanted[0] === 'record') await record()
    else await Promise.all(wanted.map(name => visit(name, clients[name]).catch(error => fail(`${name}: ${error.stack}`))))
  } catch (error) {
    fail(`conformance.mjs: ${error.stack}`)
  }
  end()
}

async function serve() {
  const { line } = await start(process.env.CONFORMANCE ?? join(ROOT, 'target/debug/examples/conformance'), ['serve'])
  return `http://127.0.0.1:${JSON.parse(line).port}`
}

function end() {
  stopAll() // the drivers of the browsers end theirs with this process
  process.exit(failed ? 1 : 0)
}

// ---- What every client has to get right

async function visit(name, open) {
  const { run, close, isBrowser } = await open()
  const client = new Client(name, run)
  try {
    const scenarios = { ...everywhere, ...isBrowser && inBrowsers, ...name === 'chromium' && asRecorded }
    for (const [what, scenario] of Object.entries(scenarios)) await check(`${name}: ${what}`, () => scenario(client))
    await check(`${name}: streams that are over are not asked for again`, () => client.staysAway())
  } finally {
    await close?.()
  }
}

const everywhere = {
  'a terminal event ends the stream for good, without code of the client': client => terminal(client),
  '204 ends the stream for good': client => refused(client, '/sse/204'),
  'a stream goes on after the last event that arrived': async client => {
    assert.deepEqual(await resume(client, '/sse/resume'), [undefined, '2', '4'])
  },
  'a stream that breaks off goes on after the last event that arrived': async client => {
    // Chromium may drop what arrives together with a failure, and then asks for it again.
    assert.deepEqual([...new Set(await resume(client, '/sse/resume?cut=1'))], [undefined, '2', '4'])
  },
  'an event that was not finished is none': async client => {
    const { events } = await client.read(raw('retry: 50\ndata: a\n\ndata: lost\n'), { count: 2 })
    assert.deepEqual(events.map(([, data]) => data), ['a', 'a'])
  },
}

const inBrowsers = {
  'a job that there is not is asked for once (404)': client => refused(client, '/sse/jobs/none', 404),
  'a job that is over tells its end once, and then that it was told (204)': async client => {
    const { why, events, path } = await client.read('/sse/jobs/over')
    assert.equal(why, 'closed')
    assert.deepEqual(events.map(([name, data]) => [name, data]), [['done', '{"result":7}']])
    assert.deepEqual(await client.told(path), [[undefined, 200], [events[0][2], 204]])
  },
  'a terminal event ends the stream for good from another origin too': client => terminal(client, server.replace('127.0.0.1', 'localhost')),
  'names, ids, comments and lines': client => basic(client, '/sse/basic'),
  'a redirect is followed (301)': client => basic(client, '/sse/redirect/301'),
  'a redirect is followed (307)': client => basic(client, '/sse/redirect/307'),
  'data is what was sent, line by line': async client => {
    const { events } = await client.read('/sse/multiline', { last: 'done' })
    const sent = ['a\nb', 'a\nb', ' leading', '', 'ends\n', '€豆腐\u2028x', ':colon', 'data: x\n\nid: 9', 'bye']
    assert.deepEqual(events.map(([, data]) => data), sent)
  },
  'an id comes back as it was': async client => {
    const id = 'ü …😀"\\'
    const { events } = await client.read(`/sse/id-echo?id=${encodeURIComponent(id)}`, { last: 'done' })
    assert.deepEqual(events.map(([name]) => name), ['message', 'echo', 'done'])
    assert.equal(events[0][2], id)
    assert.equal(Buffer.from(events[1][1], 'hex').toString(), id)
  },
  'keep-alive is silent': async client => {
    const { events } = await client.read('/sse/keepalive?idle=600&every=50', { last: 'done' })
    assert.deepEqual(events.map(([, data]) => data), ['start', 'end', 'bye'])
  },
  'a burst arrives whole and in order': async client => {
    const { events } = await client.read('/sse/burst', { last: 'done' })
    const sent = Array.from({ length: 2000 }, (_, n) => ['message', `m${n}`, `${n}`])
    assert.deepEqual(events, [...sent, ['done', 'bye', '1999']])
  },
  'an event does not wait for the next': async client => {
    await client.read('/sse/slow?gap=600000', { count: 1 })
  },
  'the delay of a hint is kept': async client => {
    const delays = [1500, 100] // Firefox waits for half a second at least
    const reads = await Promise.all(delays.map(ms => client.read(`/sse/retry?ms=${ms}`, { last: 'done' })))
    const paths = reads.map(({ path }) => path)
    const log = (await client.log()).map(({ target }) => paths.indexOf(target)).filter(at => at >= 0)
    assert.deepEqual(log.slice(2), [1, 0], 'who was asked to wait longer comes back later')
  },
  'lines end with LF': client => lines(client, '\n'),
  'lines end with CR LF': client => lines(client, '\r\n'),
  'lines end with CR': client => lines(client, '\r'),
  'a byte order mark is no text': client => lines(client, '\n', '\uFEFF'),
  'parameters and case of the media type do not matter': async client => {
    for (const type of ['text/event-stream; charset=utf-8', 'text/event-stream;charset=UTF-8', 'Text/Event-Stream']) {
      const { events } = await client.read(`/sse/ctype?v=${encodeURIComponent(type)}`, { last: 'done' })
      assert.deepEqual(events.map(([, data]) => data), ['ok', 'bye'], type)
    }
  },
  'what is no event stream is not read': async client => {
    for (const type of ['text/plain', 'application/json', '']) await refused(client, `/sse/ctype?v=${type}`)
  },
  'other statuses end the stream for good': async client => {
    for (const status of [201, 404, 503]) await refused(client, `/sse/status/${status}`)
  },
}

async function terminal(client, origin) {
  const { why, events, path } = await client.read('/sse/terminal', { origin })
  assert.equal(why, 'closed')
  assert.deepEqual(events.map(([name, data]) => [name, data]), [['message', 'only'], ['finished', 'for good']])
  assert.deepEqual(await client.told(path), [[undefined, 200], ['sse-tower:end', 204]])
}

async function refused(client, path, status) {
  const { why, events, path: asked } = await client.read(path)
  assert.equal(why, 'closed', path)
  assert.deepEqual(events, [], path)
  const told = await client.told(asked)
  assert.deepEqual(told, [[undefined, status ?? told[0][1]]], path)
}

async function basic(client, path) {
  const { events } = await client.read(path, { last: 'done' })
  assert.deepEqual(events, [['message', 'one', ''], ['update', '{"n":1}', '1'], ['message', 'line1\nline2', '2'], ['done', 'bye', '2']])
}

/** Returns what the client sent as `Last-Event-ID`, one per connection. */
async function resume(client, path) {
  const { events, path: asked } = await client.read(path, { last: 'done' })
  assert.deepEqual(events.map(([, data]) => data), ['1', '2', '3', '4', '5', '6', 'all'])
  return (await client.told(asked)).map(([id]) => id)
}

/** Bytes of somebody else, cut between any two. */
async function lines(client, end, before = '') {
  const text = `${before}data: ä\ndata: b\n\nevent: done\nid: 7\ndata: c\n\n`.replaceAll('\n', end)
  const cuts = Array.from(Buffer.from(text).keys()).slice(1)
  const { events } = await client.read(`${raw(text)}&gap=1&chunks=${cuts}`, { last: 'done' })
  assert.deepEqual(events, [['message', 'ä\nb', ''], ['done', 'c', '7']])
}

// ---- What our own client is compared with

/** The visits of Chromium that the tests of our client have to repeat. */
const RECORD = join(ROOT, 'tests/client/chromium.jsonl')
const visits = readFileSync(RECORD, 'utf8').trim().split('\n').map(JSON.parse)

const asRecorded = {
  'every visit is as the tests of our client have it': async client => {
    for (const visit of visits) {
      // It sends control characters, which HTTP forbids, so our server refuses that request.
      if (['id-ctrl01', 'id-del7f'].includes(visit.name) && !process.env.SSE_REFERENCE) continue
      const seen = await again(client, visit)
      // How much longer a wait may be, nobody can say; and a timer may ring a moment early.
      if (seen.waits.every((wait, at) => wait + 50 >= visit.waits[at])) seen.waits = visit.waits
      assert.deepEqual(seen, visit)
    }
    return `${visits.length} visits`
  },
}

async function record() {
  assert(process.env.SSE_REFERENCE, 'our server refuses control characters in headers: name another in SSE_REFERENCE')
  const { run, close } = await chromium()
  const client = new Client('chromium', run)
  const seen = []
  for (const visit of visits) seen.push(JSON.stringify(await again(client, visit)) + '\n')
  writeFileSync(RECORD, seen.join(''))
  await close()
}

/** What comes of a visit; `count` ends one that would come back for ever. */
async function again(client, { name, path, count }) {
  const { why, events, path: asked } = await client.read(path, { last: 'done', count })
  const requests = (await client.log()).filter(({ target }) => target === asked)
  for (const { headers } of requests) {
    assert.deepEqual([headers.accept, headers['cache-control']], ['text/event-stream', 'no-cache'], name)
  }
  const ids = requests.map(({ headers }) => headers['last-event-id'] ?? null)
  // What it waited before each but the first, to 50 ms.
  const waits = requests.slice(1).map(({ t }, at) => 50 * Math.floor((t - requests[at].t) / 50))
  // The data of this one are times.
  if (name === 'slow') events.slice(0, -1).forEach(event => { event[1] = '' })
  return { name, path, ...count && { count }, ids, waits, events, end: why }
}

const raw = text => `/sse/raw?b64=${encodeURIComponent(Buffer.from(text).toString('base64'))}`

// ---- Clients

/** An EventSource somewhere, and what the server saw of it. */
class Client {
  over = []

  constructor(name, run) {
    this.name = name
    this.run = run
    this.reads = 0
  }

  /** Reads until the event named `last`, until `count` events were read, or until the client gives up. */
  async read(path, { last, count, origin = server } = {}) {
    path += `${path.includes('?') ? '&' : '?'}client=${this.name}.${process.pid}.${this.reads++}`
    const { why, events } = await Promise.race([
      this.run({ url: origin + path, last, count, names: ['message', 'update', 'tick', 'echo', 'finished', 'done'] }),
      sleep(20_000).then(() => { throw new Error(`not over after 20 s`) }),
    ])
    if (why === 'closed') this.over.push({ path, requests: (await this.told(path)).length, at: Date.now() })
    return { why, events, path }
  }

  /** What it sent as `Last-Event-ID`, and the status that it got. */
  async told(path) {
    const mine = (await this.log()).filter(({ target }) => target === path)
    return mine.map(({ headers, status }) => [headers['last-event-id'], status])
  }

  async log() {
    return (await fetch(`${server}/log`)).json()
  }

  async staysAway() {
    assert.ok(this.over.length > 0)
    // Without a hint, the browsers would wait three and five seconds before they come back.
    await sleep(Math.max(...this.over.map(({ at }) => at)) + 6_000 - Date.now())
    for (const { path, requests } of this.over) assert.equal((await this.told(path)).length, requests, path)
    return `${this.over.length} streams`
  }
}

async function chromium() {
  const browser = await require('playwright-core').chromium.launch(CHROMIUM)
  return inPage(browser)
}

async function firefox() {
  const browser = await require('puppeteer-core').launch(FIREFOX)
  return inPage(browser)
}

async function inPage(browser) {
  const page = await browser.newPage()
  await page.goto(`${server}/`)
  return { isBrowser: true, run: wanted => page.evaluate(readStream, wanted), close: () => browser.close() }
}

const eventsource = () => inNode(require('eventsource').EventSource)
const undici = () => inNode(require('undici').EventSource)
const eventsourceClient = () => inNode(Iterated)
const inNode = EventSource => ({ run: wanted => readStream(wanted, EventSource) })

/** The npm package eventsource-client, which is an iterator, seen as an EventSource. */
class Iterated extends EventTarget {
  readyState = 1

  constructor(url) {
    super()
    this.client = require('eventsource-client').createEventSource(url)
    this.pump()
  }

  async pump() {
    for await (const { event = 'message', data, id = '' } of this.client) {
      this.dispatchEvent(Object.assign(new Event(event), { data, lastEventId: id }))
    }
    this.readyState = 2
    this.dispatchEvent(new Event('error'))
  }

  close() {
    this.client.close()
  }
}

/** Runs in a page too, where it is all that is known. */
function readStream({ url, names, last, count }, Source = globalThis.EventSource) {
  return new Promise(resolve => {
    const events = []
    const source = new Source(url)
    for (const name of names) {
      source.addEventListener(name, event => {
        events.push([event.type, event.data, event.lastEventId])
        if (event.type !== last && events.length !== count) return
        source.close()
        resolve({ why: 'read', events })
      })
    }
    // Not closed here: it has to stay away by itself.
    source.addEventListener('error', () => { if (source.readyState === 2) resolve({ why: 'closed', events }) })
  })
}

await main()

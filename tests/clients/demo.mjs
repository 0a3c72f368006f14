// Drives the demo in headless Chromium, and the parts that hang on EventSource in Firefox.
//
//     DEMO=target/debug/examples/demo node demo.mjs                        every check; exit code 1 if one failed
//     DEMO=target/debug/examples/demo node demo.mjs --screenshot FILE.png  a picture of the demo at work, hashing /usr
//
// Needs the packages of package.json (in `node_modules` here, or in a directory named by
// NODE_PATH), Chromium (`CHROMIUM`, else /usr/bin/chromium) and Firefox (`FIREFOX`, else
// /usr/bin/firefox-esr). Starts and stops the demo itself.

import assert from 'node:assert/strict'
import { createHash, randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHROMIUM, FIREFOX, ROOT, check, fail, failed, require, start as run, stopAll, until, wire } from './common.mjs'

const { chromium } = require('playwright-core')
const DEMO = process.env.DEMO ?? join(ROOT, 'target/debug/examples/demo')
const screenshot = process.argv[2] === '--screenshot' && process.argv[3]
const scratch = mkdtempSync(join(tmpdir(), 'sse-demo-'))
let context

// Whatever happens, this ends.
setTimeout(() => { fail('demo.mjs: not done after four minutes'); end() }, 240_000).unref()

try {
  context = await chromium.launchPersistentContext(join(scratch, 'profile'), {
    ...CHROMIUM,
    viewport: { width: 1200, height: 900 },
  })
  await (screenshot ? takeScreenshot(screenshot) : checkAll())
} catch (error) {
  fail(`demo.mjs: ${error.stack}`)
}
await end()

async function end() {
  stopAll()
  await Promise.race([context?.close().catch(() => {}), sleep(5_000)])
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
  process.exit(failed ? 1 : 0)
}

async function checkAll() {
  const files = join(scratch, 'files')
  const expected = generate(files)
  const demo = await start(files)
  const { page, requests, text } = await open(demo.url)

  await check('progress runs to 100 % and to the right digest', async () => {
    await until('the digest', () => page.locator('#file').getAttribute('data-digest'), 90)
    assert.equal(await page.locator('#file').getAttribute('data-digest'), expected)
    assert.equal(await text('#percent'), '100 %')
    assert.match(await text('#what'), / 256 MiB$/)
    return text('#rate')
  })
  await check('the browser stops by itself: one more request, answered 204, and none after', async () => {
    await until('CLOSED', () => page.evaluate('progress.readyState === EventSource.CLOSED'), 15)
    await sleep(4_000)
    const seen = requests('/progress')
    assert.deepEqual(seen.map(request => request.status), [200, 204])
    assert.equal(seen[1].lastEventId, 'sse-tower:end')
    assert.equal(await text('#progress .state'), 'the browser stopped by itself')
  })
  await check('a button hashes again', async () => {
    assert.equal(await page.evaluate(`$('again').click(), $('bar').style.width`), '0%')
    await until('four answers', () => requests('/progress').filter(request => request.status).length === 4, 90)
    assert.deepEqual(requests('/progress').map(request => request.status), [200, 204, 200, 204])
    assert.equal(await page.locator('#file').getAttribute('data-digest'), expected)
  })

  const ids = () => page.evaluate('ids')
  await check('the feed goes on after a lost connection without a hole', async () => {
    await page.evaluate(`ids = []; feed.addEventListener('sample', event => ids.push(event.lastEventId))`)
    await until('samples', async () => (await ids()).length >= 2, 10)
    await page.click('#drop')
    await until('samples that were missed', async () => Number(await text('#recovered')) > 0, 20)
    await sleep(2_000)
    const seen = (await ids()).map(id => Number(id.split('.')[1]))
    assert.deepEqual(seen, seen.map((_, at) => seen[0] + at), 'ids are consecutive')
    assert.equal(await text('#holes'), '0')
    const feeds = requests('/feed')
    assert.deepEqual(feeds.map(request => request.status), [200, 200])
    assert.match(feeds[1].lastEventId, /^\d+\.\d+$/)
    return `${await text('#recovered')} recovered, Last-Event-ID ${feeds[1].lastEventId}`
  })

  await check('a hidden page holds no connection, and misses nothing', async () => {
    const before = { seen: await page.evaluate('({ epoch, last, samples: samples.length })'), feeds: requests('/feed').length }
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))`)
    const streams = async () => {
      const reader = (await fetch(`${demo.url}status`)).body.getReader()
      const { value } = await reader.read()
      await reader.cancel()
      return Number(/"open_streams":(\d+)/.exec(Buffer.from(value))[1])
    }
    await until('connections closed', async () => await streams() === 1, 5) // the one that asks
    await sleep(2_500)
    await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`)
    await until('new samples', () => page.evaluate(before => last >= before + 3, before.seen.last), 10)
    const seen = await page.evaluate('({ epoch, last, samples: samples.length })')
    assert.equal(seen.samples - before.seen.samples, seen.last - before.seen.last, 'each sample once')
    assert.equal(await text('#holes'), '0')
    assert.equal(requests('/feed').length, before.feeds + 1)
  })
  await check('cancelling stops the producer on the server', () => cancel(page, text))
  await check('an answer that is not cancelled runs to its end', async () => {
    await page.click('#tokens form button')
    await until('the end', async () => /^\d+ tokens$/.test(await text('#tokens .state')), 60)
    await until('the word of the server', async () => /the last finished after \d+ tokens/.test(await text('#producers')), 5)
  })
  await check('a page that is loaded anew in the middle of an answer shows all of it', () => goOn(demo.url, 'loaded anew'))
  await check('a connection that is lost in the middle of an answer is gone on with', () => goOn(demo.url, 'cut off'))
  await check('the parser of the page does not depend on how chunks are cut', async () => {
    const parsed = await page.evaluate(async () => {
      const bytes = new TextEncoder().encode('\uFEFF: hi\r\n\r\n\r\nevent: a\r\ndata: ü\r\ndata:🌍\u2028:\u2029\r\n\r\ndata: b\r\rid: 1\n\nnocolon\ndata\n\nevent:c\ndata: cut')
      const all = []
      for (let size = 1; size <= bytes.length; size++) {
        const body = new ReadableStream({
          start(controller) {
            for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
            controller.close()
          },
        })
        const seen = []
        for await (const event of events(body)) seen.push(event)
        all.push(JSON.stringify(seen))
      }
      return [...new Set(all)]
    })
    assert.deepEqual(parsed.map(JSON.parse), [[
      { name: 'a', data: 'ü\n🌍\u2028:\u2029', id: '' }, { name: '', data: 'b', id: '' }, { name: '', data: '', id: '1' },
    ]])
  })

  await checkFirefox(demo.url, expected)

  await check('SIGINT ends the process at once, with streams open', async () => {
    assert.match(await text('#streams'), /^[2-9] open streams$/)
    return `${await stop(demo)} ms`
  })
  await check('the page finds a server that was started anew, whose ids are others', async () => {
    await page.evaluate('before = epoch')
    await start(files, { PORT: new URL(demo.url).port })
    await until('the new feed', () => page.evaluate('epoch !== before && count.received > 1'), 60)
    assert.equal(await text('#holes'), '0')
    assert.equal(await text('#recovered'), '0')
  })
  await page.close()
  await checkUpstream(files)
}

async function checkFirefox(url, expected) {
  const browser = await require('puppeteer-core').launch(FIREFOX)
  const page = await browser.newPage()
  // Firefox counts the 204 at the end among the errors of the page.
  page.on('pageerror', error => error.message.endsWith('/progress.') || fail(`the page in Firefox: ${error.message}`))
  const text = selector => page.$eval(selector, element => element.textContent.trim())
  await page.goto(url)
  await check('Firefox: progress runs to the right digest, and the browser stops by itself', async () => {
    await until('the end', async () => await text('#progress .state') === 'the browser stopped by itself', 90)
    assert.equal(await page.$eval('#file', element => element.dataset.digest), expected)
  })
  await check('Firefox: the feed goes on after a lost connection without a hole', async () => {
    await until('samples', async () => Number(await text('#received')) >= 2, 20)
    await page.click('#drop')
    await until('samples that were missed', async () => Number(await text('#recovered')) > 0, 30)
    assert.equal(await text('#holes'), '0')
    return `${await text('#recovered')} recovered`
  })
  await browser.close()
}

async function checkUpstream(files) {
  const upstream = await startUpstream()
  const demo = await start(files, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'key', OPENAI_MODEL: 'tiny' })
  const { page, text } = await open(demo.url)
  const ask = async prompt => {
    await page.fill('#prompt', prompt)
    await page.click('#tokens form button')
  }
  await check('an upstream answers, with characters cut between chunks', async () => {
    await ask('greet')
    await until('the answer', async () => /^\d+ tokens$/.test(await text('#tokens .state')), 20)
    assert.equal(await text('#answer'), 'Grüße, 🌍! 日本')
    assert.deepEqual(upstream.asked, { authorization: 'Bearer key', model: 'tiny', stream: true, prompt: 'greet' })
  })
  await check('an upstream that fails is an event of the stream', async () => {
    for (const [prompt, message] of [
      ['refuse', 'the upstream answered 500 Internal Server Error'],
      ['break', 'the upstream reported an error'],
      ['hang up', 'the upstream broke off'],
      ['break as text', 'the upstream reported an error'],
      ['babble', 'the upstream sent no chat chunk'],
    ]) {
      await ask(prompt)
      await until(message, async () => await text('#tokens .state') === message, 20)
    }
    assert.doesNotMatch(await page.content(), /the key is|out of words/)
    for (const said of ['the key is 1234', 'out of words', 'only a text']) assert.match(demo.errors(), new RegExp(said))
    assert.ok(demo.errors().split('\n').every(line => line.length < 2_000))
  })
  await check('cancelling closes the connection to the upstream', async () => {
    await page.fill('#prompt', 'forever')
    await cancel(page, text)
    await until('the close', () => upstream.closed, 5)
  })
  await stop(demo)
  upstream.server.close()
}

async function cancel(page, text) {
  const before = await server(page, 'tokens')
  await page.click('#tokens form button')
  await until('five tokens', async () => await server(page, 'tokens') >= before + 5, 20)
  assert.equal(await server(page, 'producers'), 1)
  assert.notEqual(await text('#answer'), '')
  await page.click('#cancel')
  await until('no producers', async () => await server(page, 'producers') === 0, 5)
  const made = await server(page, 'tokens')
  await sleep(1_500)
  assert.equal(await server(page, 'tokens'), made, 'tokens are made no more')
  assert.match(await text('#tokens .state'), /^cancelled, \d+ tokens arrived$/)
  assert.match(await text('#producers'), /was stopped after \d+ tokens/)
  return `stopped after ${await server(page, 'last')} tokens`
}

/** An answer whose page loses it in the middle. */
async function goOn(url, how) {
  const line = await wire(() => new URL(url).port)
  const { page, requests, text } = await open(line.url)
  await page.fill('#prompt', `What happens to a page that is ${how}?`)
  await page.click('#tokens form button')
  await until('five words', async () => (await text('#answer')).split(' ').length >= 5, 20)
  const before = await text('#answer')
  if (how === 'cut off') {
    line.cut()
    await until('connecting', async () => await text('#tokens .state') === 'connecting', 10)
    line.mend()
  } else {
    await page.reload()
  }
  await until('the end', async () => /^\d+ tokens$/.test(await text('#tokens .state')), 60)
  const answer = await text('#answer')
  assert.ok(answer.startsWith(before), `${before} … became ${answer}`)
  const tokens = answer.split(' ').length
  assert.equal(await text('#tokens .state'), `${tokens} tokens`, 'each token once')
  await until('the word of the server', async () => await server(page, 'last') === tokens, 5)
  const name = await page.evaluate('sessionStorage.answer')
  const asked = requests(`/tokens/${name}`).filter(request => request.status)
  assert.deepEqual(asked.map(({ request, status }) => `${request.method()} ${status}`), ['POST 200', 'GET 200'])
  if (how === 'cut off') assert.match(asked[1].lastEventId, /^\d+\.\d+$/)
  await page.close()
  line.close()
  return `${before.split(' ').length} of ${tokens} tokens were there`
}

async function takeScreenshot(file) {
  const demo = await start('/usr')
  const { page, text } = await open(demo.url)
  await until('samples', async () => Number(await text('#received')) >= 24, 60)
  await page.click('#drop')
  await until('samples that were missed', async () => Number(await text('#recovered')) > 0, 20)
  await sleep(9_000)
  await page.click('#tokens form button')
  await until('an answer', async () => (await text('#answer')).length > 250, 60)
  await page.click('#again')
  await until('half of it', async () => parseInt(await text('#percent')) % 100 > 55, 60)
  await page.screenshot({ path: file })
  console.log(`ok   screenshot ${file}`)
}

// ---- Helpers

/** A number that the server says of itself. */
async function server(page, name) {
  return Number(await page.locator('#producers').getAttribute(`data-${name}`))
}

/** A page of the demo, the requests that it makes, and the text of its elements. */
async function open(url) {
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const all = []
  page.on('pageerror', error => fail(`the page: ${error.message}`))
  page.on('request', request => all.push({ request, path: new URL(request.url()).pathname }))
  page.on('response', async response => {
    const entry = all.find(({ request }) => request === response.request())
    entry.status = response.status()
    entry.lastEventId = (await response.request().allHeaders().catch(() => ({})))['last-event-id']
  })
  await page.goto(url)
  return {
    page,
    requests: path => all.filter(entry => entry.path === path),
    text: async selector => (await page.locator(selector).textContent()).trim(),
  }
}

/** Starts the demo on a free port, unless `env` names one. */
async function start(directory, env = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OPENAI_|.*_proxy$)/i.test(name))
  const { line: url, ...demo } = await run(DEMO, [directory], { ...Object.fromEntries(inherited), PORT: '0', ...env })
  return { url, ...demo }
}

/** Sends SIGINT; returns how many milliseconds it took. */
async function stop({ child }) {
  const began = Date.now()
  const exit = once(child, 'exit')
  child.kill('SIGINT')
  const [code] = await Promise.race([exit, sleep(10_000).then(() => { throw new Error('still running after 10 s') })])
  assert.equal(code, 130)
  return Date.now() - began
}

/** Writes 256 MiB of files; returns their digest as progress.rs defines it. */
function generate(directory) {
  const buffer = Buffer.alloc(4 << 20)
  for (const folder of ['a', 'b/c', 'target', 'd.git']) mkdirSync(join(directory, folder), { recursive: true })
  writeFileSync(join(directory, 'target/skipped'), 'x')
  for (let at = 0; at < 64; at++) {
    const folder = ['', 'a/', 'b/', 'b/c/', 'd.git/', 'a-', 'ä '][at % 7]
    writeFileSync(join(directory, `${folder}${at}.bin`), randomFillSync(buffer))
  }
  for (const odd of ['empty', 'line\nbreak', 'back\\slash', 'a/U+2028\u2028', '\uffff', '\u{1f600}']) writeFileSync(join(directory, odd), odd)
  const paths = []
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    if (entry.isFile() && entry.name !== 'skipped') paths.push(`./${path.slice(directory.length + 1)}`)
  }
  paths.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
  const sha256 = data => createHash('sha256').update(data).digest('hex')
  return sha256(paths.map(path => `${sha256(readFileSync(join(directory, path)))}  ${path}\0`).join(''))
}

/** An OpenAI-compatible service: each prompt is answered in a way of its own. */
async function startUpstream() {
  const upstream = { closed: false, asked: undefined }
  const chunk = content => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
  upstream.server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const { model, stream, messages } = JSON.parse(body)
    const prompt = messages.at(-1).content
    upstream.asked = { authorization: request.headers.authorization, model, stream, prompt }
    if (prompt === 'refuse') return response.writeHead(500).end('the key is 1234')
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    if (prompt === 'break') return response.end('data: {"error":{"message":"out of words"}}\n\n')
    if (prompt === 'break as text') return response.end('data: {"error":"only a text"}\n\n')
    if (prompt === 'babble') return response.end(`data: {"choices":"${'x'.repeat(100_000)}"}\n\n`)
    if (prompt === 'hang up') return response.write(chunk('one'), () => response.destroy())
    if (prompt === 'greet') {
      const nothing = ['[]', 'null', '[{}]', '[{"delta":null}]', '[{"delta":{"content":null}}]']
        .map(choices => `data: {"choices":${choices},"error":null}\n\n`).join('')
      const text = `: hello\n\n${['Grüße', ', 🌍!', ' 日本'].map(chunk).join('')}${nothing}data: [DONE]\n\n`
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.of(byte))
        await new Promise(setImmediate)
      }
      return response.end()
    }
    response.on('close', () => { upstream.closed = true })
    while (!upstream.closed) {
      response.write(chunk('on and '))
      await sleep(50)
    }
  })
  upstream.server.listen(0, '127.0.0.1')
  await once(upstream.server, 'listening')
  upstream.url = `http://127.0.0.1:${upstream.server.address().port}/v1`
  return upstream
}

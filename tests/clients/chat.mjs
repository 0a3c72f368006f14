// Two pages of the chat in headless Chromium: together in a room, cut off, back, elsewhere, and
// after the server was killed.
//
//     CHAT=target/debug/examples/chat node chat.mjs    every check; exit code 1 if one failed
//
// Needs what demo.mjs needs, but no Firefox. Starts and stops the chat itself.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHROMIUM, ROOT, check, fail, failed, require, start, stopAll, until, wire } from './common.mjs'

const { chromium } = require('playwright-core')
const CHAT = process.env.CHAT ?? join(ROOT, 'target/debug/examples/chat')
const DIR = mkdtempSync(join(tmpdir(), 'sse-tower-chat-'))
let browser

// Whatever happens, this ends.
setTimeout(() => { fail('chat.mjs: not done after three minutes'); end() }, 180_000).unref()

try {
  browser = await chromium.launch(CHROMIUM)
  await checkAll()
} catch (error) {
  fail(`chat.mjs: ${error.stack}`)
}
await end()

async function end() {
  stopAll()
  await Promise.race([browser?.close().catch(() => {}), sleep(5_000)])
  rmSync(DIR, { recursive: true, force: true })
  process.exit(failed ? 1 : 0)
}

async function checkAll() {
  let server = await run()
  const wires = await Promise.all([wire(() => server.port), wire(() => server.port)])
  const ada = await open(wires[0], 'Ada')
  await ada.say('is anybody there?')
  const bob = await open(wires[1], 'Bob')

  await check('who joins sees what was said before', async () => {
    await agree([ada, bob], ['Ada: is anybody there?'])
  })
  await check('both see how many are there, and what either says', async () => {
    await present([ada, bob], 2)
    await bob.say('I am')
    await ada.say('<b>good</b>')
    await agree([ada, bob], ['Ada: is anybody there?', 'Bob: I am', 'Ada: <b>good</b>'])
  })
  await check('who is writing is seen by the other now, and by nobody later', async () => {
    await bob.page.locator('#text').pressSequentially('hm')
    await until('the hint', async () => await ada.text('#typing') === 'Bob is writing …', 10)
    assert.equal(await bob.text('#typing'), '')
    await until('its end', async () => await ada.text('#typing') === '', 10)
    const history = await events(server, /event: said[^]+event: present/)
    assert.doesNotMatch(history, /event: typing/)
    assert.equal(history.match(/event: said/g).length, 3)
    assert.equal(history.match(/event: present/g).length, 1, 'of the counts only the newest')
    assert.equal(history.match(/^id: /gm).length, 3, 'only what was said has ids')
    await present([ada, bob], 2)
  })

  await check('a lost connection is gone on with: no hole, nothing twice', async () => {
    const last = await bob.page.evaluate('document.querySelector("#said").lastChild.dataset.id')
    await bob.page.evaluate('heard = []; source.addEventListener("said", event => heard.push(event.lastEventId))')
    wires[1].cut()
    await present([ada], 1)
    for (const text of ['one', 'two', 'three']) await ada.say(text)
    await until('connecting', async () => await bob.text('#state') === 'connecting', 10)
    assert.equal((await bob.lines()).length, 3, 'it is cut off')
    wires[1].mend()
    await agree([ada, bob], ['Ada: is anybody there?', 'Bob: I am', 'Ada: <b>good</b>', 'Ada: one', 'Ada: two', 'Ada: three'])
    await present([ada, bob], 2)
    const heard = await bob.page.evaluate('heard')
    assert.equal(heard.length, 3, 'only what was missed is sent')
    const asked = bob.asked.at(-1)
    const [epoch, number] = last.split('.').map(Number)
    assert.equal(Number(asked.split('.')[0]), epoch)
    assert.ok(Number(asked.split('.')[1]) >= number, asked)
    return `Last-Event-ID ${asked}`
  })
  await check('rooms are apart, and a room that is entered again is as it was', async () => {
    await bob.enter('kitchen')
    await Promise.all([present([ada], 1), present([bob], 1)])
    await agree([bob], [])
    await bob.say('quiet here')
    await ada.say('and here')
    await agree([bob], ['Bob: quiet here'])
    await bob.enter('lobby')
    await until('the same room', async () => (await bob.lines()).at(-1) === 'Ada: and here', 10)
    assert.deepEqual(await bob.lines(), await ada.lines())
    await present([ada, bob], 2)
  })
  await check('a server that is killed forgets nothing, and the pages go on: no hole, nothing twice', async () => {
    const before = await ada.lines()
    assert.equal(before.length, 7)
    await bob.page.evaluate('heard = []; source.addEventListener("said", event => heard.push(event.lastEventId))')
    const exit = once(server.child, 'exit')
    server.child.kill('SIGKILL')
    await exit
    server = await run()
    await present([ada, bob], 2)
    await bob.say('what happened?')
    await agree([ada, bob], [...before, 'Bob: what happened?'])
    const heard = await bob.page.evaluate('heard')
    assert.equal(heard.length, 1, 'what it had is not sent again')
    assert.equal(heard[0].split('.')[0], bob.asked.at(-1).split('.')[0], 'the epoch is the same')
    const history = await events(server, /what happened/)
    assert.equal(history.match(/event: said/g).length, 8, 'who joins now sees it all')
    assert.doesNotMatch(history, /event: restart/)
  })
}

// ---- Helpers

async function run() {
  const { line, child } = await start(CHAT, [], { ...process.env, PORT: '0', FILE: join(DIR, 'chat.redb') })
  return { child, port: Number(new URL(line).port) }
}

/** A page in the first room, as somebody. */
async function open({ url }, name) {
  const page = await (await browser.newContext()).newPage()
  page.setDefaultTimeout(15_000)
  page.on('pageerror', error => fail(`the page of ${name}: ${error.message}`))
  const asked = []
  page.on('response', async response => {
    const id = (await response.request().allHeaders().catch(() => ({})))['last-event-id']
    if (id) asked.push(id)
  })
  await page.goto(url)
  await page.fill('#name', name)
  const text = async selector => (await page.locator(selector).textContent()).trim()
  await until('a connection', async () => await text('#state') === 'connected', 15)
  return {
    page, asked, text, name,
    lines: () => page.$$eval('#said li', lines => lines.map(line => `${line.firstChild.textContent}: ${line.lastChild.textContent}`)),
    enter: room => page.click(`nav button:text-is("${room}")`),
    async say(words) {
      await page.fill('#text', words)
      const sent = page.waitForResponse(response => response.request().method() === 'POST' && /"text"/.test(response.request().postData()))
      await page.click('form button')
      assert.equal((await sent).status(), 204)
    },
  }
}

async function agree(pages, lines) {
  for (const page of pages) {
    await until(`last line for ${page.name}`, async () => (await page.lines()).at(-1) === lines.at(-1), 15)
    assert.deepEqual(await page.lines(), lines, page.name)
  }
}

async function present(pages, count) {
  for (const { text, name } of pages) {
    await until(`${count} present for ${name}`, async () => await text('#present') === String(count), 15)
  }
}

/** What the stream of the lobby sends up to the end of an event that is looked for. */
async function events({ port }, wanted) {
  const response = await fetch(`http://127.0.0.1:${port}/rooms/lobby`, { headers: { Accept: 'text/event-stream' } })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!wanted.test(text) || !text.endsWith('\n\n')) text += (await reader.read()).value
  await reader.cancel()
  return text
}

// The progress example in headless Chromium and in a terminal: a bar that moves, one that comes
// late, one that was cut off, and the end, also for a page that is loaded after it.
//
//     PROGRESS=target/debug/examples/progress node progress.mjs    every check; exit code 1 if one failed
//
// Needs what chat.mjs needs. Starts and stops the example itself, on a directory of its own.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { CHROMIUM, ROOT, check, fail, failed, require, start, stopAll, until, wire } from './common.mjs'

const { chromium } = require('playwright-core')
const PROGRESS = process.env.PROGRESS ?? join(ROOT, 'target/debug/examples/progress')
const FILES = ['big/a', 'big/b', 'big/deep/c', 'other/d', 'other/e', 'other/f']
const LENGTH = 2 ** 30
const directory = mkdtempSync(join(tmpdir(), 'sse-tower-progress-'))
let browser

// Whatever happens, this ends.
setTimeout(() => { fail('progress.mjs: not done after five minutes'); end() }, 300_000).unref()

try {
  for (const file of FILES) {
    mkdirSync(join(directory, file, '..'), { recursive: true })
    writeFileSync(join(directory, file), '')
    // Holes: they take no room, and their bytes are as much work as any.
    truncateSync(join(directory, file), LENGTH)
  }
  browser = await chromium.launch(CHROMIUM)
  await checkAll()
} catch (error) {
  fail(`progress.mjs: ${error.stack}`)
}
await end()

async function end() {
  stopAll()
  rmSync(directory, { recursive: true, force: true })
  await Promise.race([browser?.close().catch(() => {}), sleep(5_000)])
  process.exit(failed ? 1 : 0)
}

async function checkAll() {
  const { line } = await start(PROGRESS, [directory], { ...process.env, PORT: '0' })
  const port = Number(new URL(line).port)
  const cable = await wire(() => port)
  const first = await open(line)
  const second = await open(cable.url)
  const terminal = inATerminal(`'${PROGRESS}' watch '${line}hash'`)

  await check('the bar moves by itself, and never back', async () => {
    await until('movement', async () => new Set(await first.seen()).size > 5, 60)
    const seen = await first.seen()
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b))
    return `${seen.length} values up to ${seen.at(-1)} %`
  })
  await check('directories have bars of their own, and the files in them while they are read', async () => {
    await until('a directory and a file', async () => {
      const { directories, files } = await first.tasks()
      return directories.includes('big') && files.some(name => name.startsWith('./big/'))
    }, 60)
  })
  await check('a page that comes late begins where the job is', async () => {
    const before = await first.value()
    const late = await open(line)
    await until('its first value', async () => (await late.seen()).length > 0, 20)
    const [value] = await late.seen()
    assert.ok(before > 0 && value >= before, `${value} after ${before}`)
    await late.page.close()
    return `${value} %`
  })
  await check('a page that was cut off goes on where the job is by then', async () => {
    cable.cut()
    await until('connecting', async () => await second.text('#state') === 'connecting', 20)
    const before = await second.value()
    const { files } = await second.tasks()
    assert.ok(before < 100 && files.length > 0, `${before} %, reading ${files}`)
    const gone = async page => !(await page.tasks()).files.some(file => files.includes(file))
    await until('progress elsewhere', async () => await first.value() > before && await gone(first), 60)
    assert.equal(await second.value(), before)
    cable.mend()
    await until('progress here', async () => await second.value() > before, 60)
    assert.ok(await gone(second), `of ${files} it does not know that they are read`)
  })
  const digest = await expected()
  await check('the end appears, with the right result, and the browsers stop', async () => {
    for (const { text, tasks, requests } of [first, second]) {
      await until('the end', async () => await text('#result') === `sha-256 ${digest}`, 120)
      await until('the stop', async () => await text('#state') === 'the browser stopped by itself', 20)
      assert.equal(await text('#percent'), '100.0 %')
      assert.deepEqual(await tasks(), { directories: ['big', 'other'], files: [] })
      assert.equal(requests.at(-1), 204, `${requests}`)
    }
    const { length } = first.requests
    await sleep(2_000)
    assert.equal(first.requests.length, length, 'nobody asks again')
  })
  await check('so does the terminal, which drew a bar of its own', async () => {
    const drawn = await terminal
    assert.match(drawn, new RegExp(`sha-256 ${digest}: 6 files, ${6 * LENGTH} bytes in `))
    const bars = [...drawn.matchAll(/█+[^\n]*? ([\d.]+) GiB\/6\.00 GiB, \d+ MB\/s/g)]
    const positions = bars.map(([, position]) => Number(position))
    assert.ok(new Set(positions).size > 5, `${positions}`)
    assert.deepEqual(positions, [...positions].sort((a, b) => a - b))
    return `${new Set(positions).size} positions`
  })
  await check('a page that is loaded after the end is told of it, and stops, too', async () => {
    first.requests.length = 0
    await first.page.reload()
    await until('the end', async () => await first.text('#result') === `sha-256 ${digest}`, 20)
    await until('the stop', async () => await first.text('#state') === 'the browser stopped by itself', 20)
    assert.deepEqual(first.requests, [200, 204])
    assert.deepEqual((await first.tasks()).directories, ['big', 'other'])
  })
  await check('another run begins anew', async () => {
    // Not yet told of the new run, it shows nothing of the old one.
    await first.page.evaluate(() => { const again = document.querySelector('#again').onclick
      window.left = again().then(() => document.querySelectorAll('#tasks li').length) })
    assert.equal(await first.page.evaluate('left'), 0)
    await until('its beginning', async () => (await first.seen()).at(-1) < 100, 60)
    const response = await fetch(`${line}hash`, { method: 'POST' })
    assert.equal(response.status, 409, 'one at a time')
    await until('its end', async () => await first.text('#result') === `sha-256 ${digest}`, 120)
  })
}

// ---- Helpers

/** What a command draws on a terminal of 120 columns: without one there is no bar. */
async function inATerminal(command) {
  const script = ['-qec', `stty cols 120; exec ${command}`, '/dev/null']
  const env = { ...process.env, TERM: 'xterm' }
  const { stdout } = await promisify(execFile)('script', script, { env, maxBuffer: 2 ** 26 })
  return stdout
}

/** A page, with the statuses of its streams and all values that its bar had. */
async function open(url) {
  const page = await (await browser.newContext()).newPage()
  page.setDefaultTimeout(15_000)
  page.on('pageerror', error => fail(`the page: ${error.message}`))
  const requests = []
  page.on('response', response => {
    if (response.url().endsWith('/hash') && response.request().method() === 'GET') requests.push(response.status())
  })
  await page.addInitScript(() => {
    window.seen = []
    document.addEventListener('DOMContentLoaded', () => {
      const bar = document.querySelector('#whole')
      new MutationObserver(() => bar.hasAttribute('value') && seen.push(bar.value))
        .observe(bar, { attributeFilter: ['value'] })
    })
  })
  await page.goto(url)
  return {
    page, requests,
    text: async selector => (await page.locator(selector).textContent()).trim(),
    seen: () => page.evaluate('seen'),
    value: () => page.evaluate('seen.at(-1) ?? 0'),
    tasks: () => page.evaluate(() => {
      const names = selector => [...document.querySelectorAll(selector)].map(line => line.textContent).sort()
      return { directories: names('#tasks li[data-parent=""]'), files: names('#tasks li:not([data-parent=""])') }
    }),
  }
}

/** The digest as `sha256sum` makes it, of files that are all the same. */
async function expected() {
  const file = createHash('sha256')
  for await (const chunk of createReadStream(join(directory, FILES[0]), { highWaterMark: 2 ** 20 })) file.update(chunk)
  const hash = file.digest('hex')
  return createHash('sha256').update(FILES.map(file => `${hash}  ./${file}\0`).join('')).digest('hex')
}

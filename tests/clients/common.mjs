// What the scripts here share: a line per check, and programs that end with the script.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const require = createRequire(import.meta.url) // unlike `import`, heeds NODE_PATH
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')

export const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
}

/** For puppeteer-core: playwright-core drives a Firefox of its own only. */
export const FIREFOX = {
  browser: 'firefox',
  executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
  headless: true,
  // Its first start on a machine took 30 s once.
  timeout: 120_000,
  extraPrefsFirefox: {
    'app.update.enabled': false,
    'browser.safebrowsing.malware.enabled': false,
    'browser.safebrowsing.phishing.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'extensions.update.enabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'toolkit.telemetry.enabled': false,
  },
}

/** How many checks failed. */
export let failed = 0

export function fail(what) {
  failed++
  console.log(`FAIL ${what.replaceAll('\n', '\n     ')}`)
}

/** Runs a check and prints how it went, with what it returns. */
export async function check(name, run) {
  const began = Date.now()
  try {
    const note = await run()
    console.log(`ok   ${name}${note ? `: ${note}` : ''} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
  } catch (error) {
    fail(`${name}: ${error.message}`)
  }
}

export async function until(what, condition, seconds) {
  const deadline = Date.now() + seconds * 1000
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`no ${what} within ${seconds} s`)
    await sleep(50)
  }
}

/** A way to the server at `port()` that can be cut. */
export async function wire(port) {
  let whole = true
  const sockets = new Set()
  const server = createServer(client => {
    if (!whole) return client.destroy()
    const upstream = connect(port(), '127.0.0.1')
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => { sockets.delete(from); to.destroy() })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    cut() {
      whole = false
      for (const socket of sockets) socket.destroy()
    },
    mend() { whole = true },
    close() { server.close() },
  }
}

const processes = new Set()

/** Starts a program; returns it, its first line, and what it wrote to stderr so far. */
export async function start(program, args, env = process.env) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  processes.add(child)
  let errors = ''
  child.stderr.on('data', data => { errors += data })
  child.once('exit', () => processes.delete(child))
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => line),
    once(child, 'exit').then(([code]) => { throw new Error(`${program} ended with ${code}: ${errors}`) }),
    sleep(10_000).then(() => { throw new Error(`${program} said nothing within 10 s`) }),
  ])
  return { child, line, errors: () => errors }
}

/** Ends what was started. */
export function stopAll() {
  for (const child of processes) child.kill('SIGKILL')
}

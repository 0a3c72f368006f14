// The SDKs that people use, in front of `llm-gateway` and of `conformance serve`.
//
//     GATEWAY=… CONFORMANCE=… PYTHON=… node main.mjs    every check; exit code 1 if one failed
//
// Needs the packages of ../package.json (in `node_modules`, or in a directory named by NODE_PATH)
// and a Python with those of requirements.txt. Starts and stops the servers itself.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT, check, fail, failed, start, stopAll } from '../common.mjs'
import * as node from './node.mjs'
import { startUpstream } from './upstream.mjs'

const GATEWAY = process.env.GATEWAY ?? join(ROOT, 'target/debug/examples/llm-gateway')
const CONFORMANCE = process.env.CONFORMANCE ?? join(ROOT, 'target/debug/examples/conformance')
const PYTHON = process.env.PYTHON ?? join(ROOT, 'target/clients/venv/bin/python')

// Whatever happens, this ends.
setTimeout(() => { fail('sdks: not done after four minutes'); end() }, 240_000).unref()

try {
  const upstream = await startUpstream()
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(OPENAI_|ANTHROPIC_|.*_proxy$)/i.test(name)))
  Object.assign(env, { PORT: '0', NO_PROXY: '127.0.0.1' })
  const gateway = await start(GATEWAY, [], { ...env, OPENAI_BASE_URL: `${upstream.url}/v1`, OPENAI_API_KEY: 'secret' })
  const embedded = await start(GATEWAY, [], env)
  const conformance = await start(CONFORMANCE, ['serve'], env)
  const urls = {
    gateway: gateway.line.replace(/\/$/, ''),
    embedded: embedded.line.replace(/\/$/, ''),
    conformance: `http://127.0.0.1:${JSON.parse(conformance.line).port}`,
    upstream: upstream.url,
  }
  for (const [name, run] of Object.entries(node.checks(urls, upstream))) await check(name, run)
  await python(urls, env)
} catch (error) {
  fail(`sdks: ${error.stack}`)
}
end()

function end() {
  stopAll()
  process.exit(failed ? 1 : 0)
}

/** The checks of python.py, which prints its lines itself. */
async function python(urls, env) {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'python.py')
  const child = spawn(PYTHON, [script, JSON.stringify(urls)], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  child.on('error', error => fail(`python: ${error.message}`))
  const [code] = await once(child, 'exit')
  if (code !== 0) fail(`python.py ended with ${code}`)
}

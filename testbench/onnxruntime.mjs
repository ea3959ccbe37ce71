// Runs models in onnxruntime and compares what they compute with what deltatwin does. By hand:
//   DELTATWIN_OUT=/tmp/cases [DELTATWIN_DATA=...] build/release/onnx_test '[.onnxruntime]'
//   npm install --ignore-scripts --prefix /tmp/ort onnxruntime-web@1.20.1
//   cp testbench/onnxruntime.mjs /tmp/ort && node /tmp/ort/onnxruntime.mjs /tmp/cases
import * as ort from 'onnxruntime-web';
import fs from 'fs';
import path from 'path';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
const directory = process.argv[2];
const totals = {};
for (const file of fs.readdirSync(directory).filter((name) => name.endsWith('.onnx')).sort()) {
  const name = path.basename(file, '.onnx'), kind = name.replace(/[0-9]+$/, '');
  const given = JSON.parse(fs.readFileSync(path.join(directory, name + '.json')));
  const total = (totals[kind] ??= { inputs: 0, equal: 0, numbers: 0, differing: 0, furthest: 0 });
  let session;
  try {
    session = await ort.InferenceSession.create(fs.readFileSync(path.join(directory, file)),
      { executionProviders: ['wasm'], logSeverityLevel: 3 });
  } catch (error) {
    console.log(`${name}: refused by onnxruntime: ${error}`);
    continue;
  }
  for (let i = 0; i < given.inputs.length; ++i) {
    const input = new ort.Tensor('float32', Float32Array.from(given.inputs[i]), given.dims);
    const results = Array.from((await session.run({ [session.inputNames[0]]: input }))[session.outputNames[0]].data);
    const away = given.outputs[i].map((value, at) => Math.abs(value - results[at]));
    const differing = away.filter((distance) => distance !== 0).length;
    if (differing > 0 && !(kind in { ic: 0, kws: 0 }))
      console.log(`${name}: ${differing} of ${away.length} differ`);
    total.inputs += 1;
    total.equal += differing === 0 && results.length === given.outputs[i].length ? 1 : 0;
    total.numbers += away.length;
    total.differing += differing;
    total.furthest = Math.max(total.furthest, ...away);
  }
}
console.table(totals);

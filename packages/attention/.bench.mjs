const { randn, valueAndGrad, sum, mul } = await import("@qkv/tensor");
const A = { [process.argv[2]]: await import(`/work/attn/packages/attention/.bench-${process.argv[2]}.mjs`) };
const r = (s, ...shape) => randn(shape, { seed: s });
const cases = {
  prefill: (a) => { const q=r(1,1,8,512,64),k=r(2,1,2,512,64),v=r(3,1,2,512,64); const o={mask:a.causal()}; return () => a.attention(q,k,v,o); },
  window: (a) => { const q=r(1,1,4,2048,64),k=r(2,1,4,2048,64),v=r(3,1,4,2048,64); const o={mask:a.slidingWindow(128)}; return () => a.attention(q,k,v,o); },
  alibi: (a) => { const q=r(1,1,8,256,64),k=r(2,1,8,256,64),v=r(3,1,8,256,64); const o={mask:a.causal(),bias:a.alibi(8)}; return () => a.attention(q,k,v,o); },
  decode: (a) => { const q=r(1,1,8,1,64),k=r(2,1,2,1024,64),v=r(3,1,2,1024,64); const o={mask:a.causal()}; return () => a.attention(q,k,v,o); },
  tiny: (a) => { const q=r(1,1,2,8,8),k=r(2,1,2,8,8),v=r(3,1,2,8,8); const o={mask:a.causal()}; return () => a.attention(q,k,v,o); },
  weights: (a) => { const q=r(1,1,8,256,64),k=r(2,1,8,256,64); const o={mask:a.causal()}; return () => a.attentionWeights(q,k,o); },
  grad: (a) => { const q=r(1,1,4,256,64),k=r(2,1,4,256,64),v=r(3,1,4,256,64); const o={mask:a.causal()}; const f=valueAndGrad((p)=>sum(a.attention(p.q,p.k,p.v,o))); return () => f({q,k,v}); },
  gradDrop: (a) => { const q=r(1,1,4,128,64),k=r(2,1,4,128,64),v=r(3,1,4,128,64); const o={mask:a.causal(),softcap:20,bias:a.alibi(4),weightMod:(w)=>w.mul(0.9)}; const f=valueAndGrad((p)=>sum(a.attention(p.q,p.k,p.v,o))); return () => f({q,k,v}); },
};
const which = process.argv[2]; const only = process.argv[3];
for (const [name, make] of Object.entries(cases)) {
  if (only && only !== name) continue;
  const f = make(A[which]);
  const t0=performance.now(); while (performance.now()-t0<300) f();
  const xs=[];
  for (let round = 0; round < 7; round++) { let n=0; const t=performance.now(); do { f(); n++; } while (performance.now()-t<120); xs.push((performance.now()-t)/n); }
  console.log(JSON.stringify([name, xs.sort((a,b)=>a-b)[3]]));
}

import { runDishonestOperator } from "./dishonest-operator.ts";
import { LIES } from "./lies.ts";
const t=Date.now();
const only = process.argv.slice(2);
const r = await runDishonestOperator({lies: LIES.filter(l=>only.length===0||only.includes(l.name)), isWatched: process.env.UNWATCHED===undefined, signal:new AbortController().signal,progress:(m)=>console.error(((Date.now()-t)/1000).toFixed(1),m)});
console.log(JSON.stringify(r,null,1));

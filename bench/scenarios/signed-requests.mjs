import { createDocument } from "../support/documents.mjs";
import { ratePerSecond } from "../support/timing.mjs";

const URL_TO_SIGN = "https://primary.example.com/v1/pull/posts/featured";

export const scenario = {
  title: "Signed requests a second",
  how: "`createReplicaAuth().fetch`, one after the other, over a `fetchFn` that answers at once; end to end is a signed pull of 1 KB from a primary that verifies it",
  primary: { collections: 1, auth: "cap-cert" },
  rounds: 5,
  measures: [
    { key: "noBody", label: "no body", better: "more", target: { ratio: 8 } },
    { key: "body100KB", label: "100 KB body", better: "more", target: { ratio: 5 } },
    { key: "endToEnd", label: "end to end", better: "more" },
  ],
  async run({ load, primary, quick }) {
    const { createReplicaAuth } = await load();
    const passphrase = "correct horse battery staple";
    const seconds = quick ? 0.3 : 0.7;
    const answer = new Response(null, { status: 200 });
    const stub = await createReplicaAuth({ passphrase, fetchFn: async () => answer });
    const rate = async (work) => {
      await ratePerSecond(work, seconds / 2);
      return (await ratePerSecond(work, seconds)).perSecond;
    };

    const noBody = await rate(() => stub.fetch(URL_TO_SIGN));
    const push = {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data: createDocument(100_000, 1), baseHash: null }),
    };
    const body100KB = await rate(() => stub.fetch(URL_TO_SIGN.replace("pull", "push"), push));

    await primary.write("c0", 1000, 1);
    const auth = await createReplicaAuth({ passphrase });
    const endToEnd = await rate(async () => {
      const response = await auth.fetch(`${primary.url}/pull/c0/doc`);
      if (response.status !== 200) throw new Error(`the primary answered ${response.status} to a signed pull`);
      await response.arrayBuffer();
    });
    return { noBody, body100KB, endToEnd };
  },
};

// Drives the simulated Twitch with twurple: node twurple.js AUTH_URL API_URL CLIENT_ID CLIENT_SECRET
"use strict";

const [authUrl, apiUrl, clientId, clientSecret] = process.argv.slice(2);

// twurple's addresses are fixed, so its fetch is pointed to the simulator.
const path = require.resolve("@d-fischer/cross-fetch");
const fetch = require(path);
const redirected = (url, options) =>
  (fetch.default || fetch)(
    url.replace("https://id.twitch.tv/oauth2", authUrl).replace("https://api.twitch.tv/helix", apiUrl),
    options,
  );
require.cache[path].exports = Object.assign(redirected, fetch, { default: redirected, fetch: redirected });

const { ApiClient } = require("@twurple/api");
const { AppTokenAuthProvider } = require("@twurple/auth");

async function main() {
  const api = new ApiClient({ authProvider: new AppTokenAuthProvider(clientId, clientSecret) });
  const user = await api.users.getUserByName("shroud");
  const stream = await api.streams.getStreamByUserId(user.id);
  const channel = await api.channels.getChannelInfoById(user.id);
  const videos = await api.videos.getVideosByUser(user.id, { type: "archive" });
  const conduit = await api.eventSub.createConduit(1);
  const conduits = await api.eventSub.getConduits();
  const subscriptions = await api.eventSub.getSubscriptions();
  await api.eventSub.deleteConduit(conduit.id);
  return {
    login: user.name,
    nobody: await api.users.getUserByName("nobody_here"),
    viewers: stream.viewers,
    category: channel.gameName,
    videos: videos.data.map((video) => video.streamId === stream.id),
    conduits: conduits.map((each) => each.id === conduit.id),
    subscriptions: subscriptions.total,
    maxCost: subscriptions.maxTotalCost,
  };
}

main().then(
  (seen) => console.log(JSON.stringify(seen)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);

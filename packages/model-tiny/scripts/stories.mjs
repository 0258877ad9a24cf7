// Small stories. A story is a scene, whose words stay the same from its first sentence to its last, and a plot.
import {
  animalNames,
  animals,
  boys,
  foods,
  girls,
  hidingPlaces,
  jobs,
  things,
  weathers,
  words,
} from "./words.mjs";
import { expand } from "./grammar.mjs";
import { chooser, picker } from "./random.mjs";

const opening = `(
  {once}, {hero} (went to|was at|walked to) the {place}. |
  There was once a ({good} |little |)({child}) (named|called) {hero}. [{he} (loved|liked) {hobby}.] {once}, {he} (went to|was at) the {place}. |
  {hero} was a (little|kind|brave|clever|quiet|happy) {child}. [{he} lived in a (small|little|red|white|quiet) (house|town|village).] |
  {hero} and {friend} were (good|best|old) friends. [They (often|always) (played|met) at the {place}.] |
  {hero} lived with {his} {family1} (near the {place}|in a small house|in a little town). 
)`;

const ending = `(
  {hero} was {happy}. |
  [That (evening|night), ]{hero} (went to bed|fell asleep|went home) {happy}. |
  {he} (smiled|laughed) (all day|all the way home). |
  "(What a day|This was a {good} day|I will never forget this day)," said {hero}. |
  {hero} told {his} {family1} (about it|the whole story)[, and they (smiled|laughed)]. |
)`;

/** An ending for two. */
const together = `(
  ${ending} |
  They were {happy}[ and (laughed|sang|danced) together]. |
  And from then on, {hero} and {friend} were (best|good) friends. |
  {hero} and {friend} (played|talked) until {time2}. |
  "You are my best friend, {friend}," said {hero}.
)`;

const plots = [
  // Something is lost, and found.
  `${opening} {hero} had a {item}. {he} (liked|loved) to {use}. [But] {once2}, the {thing} was (gone|not there|lost). {hero} was sad. {he} looked {hide2}, but it was not there. [{he} looked {hide3}, but there was only a {thing2}.] Then {friend} came (by|along|to help). "(What is wrong|Why are you sad|What are you looking for), {hero}?" {friend} asked. "I (lost|can not find) my {item}," said {hero}. "(I will help you|Let us look together|Do not worry)," said {friend}. They looked and looked. At last, {friend} looked {hide}. There was the {item}! "Thank you, {friend}!" said {hero}. ${together}`,
  // Two want the same, and share.
  `${opening} {hero} had a {item}. {friend} (saw it|came to play) and wanted to {use}, too. "(Can I have|May I use|Will you give me) the {thing}?" asked {friend}. "No, it is mine," said {hero}. {friend} was sad and (went away|sat down|began to cry). {hero} saw it and felt (bad|sorry). {he} thought (for a while|about it). Then {he} went to {friend} and said, "I am sorry. (We can share|You can have it, too|Let us take turns)." {friend} {smile}. They took turns with the {item} (all day|until the sun went down|until it was dark). {hero} learned that it is (good|more fun|better) to share. [${together}]`,
  // Someone is helped.
  `${opening} There {hero} (saw|met|found) a little {animal} named {pet}. {pet} was (sad|hungry|cold|afraid). "(What is wrong|Why are you sad|Can I help you), {pet}?" asked {hero}. "(I am hungry|I have had no food today|I want something to eat)," said the {animal}. {hero} gave {pet} {eats}. The {animal} ate it all. "{sound}!" said {pet}[ and was happy]. "(Thank you, {hero}|You are kind, {hero}|You are a good friend, {hero})." {hero} (took|carried|brought) {pet} home. {pet} lived {home}. ${ending}`,
  // The weather changes.
  `${opening} The sun was (shining|out|warm), and {hero} and {friend} had a picnic with {food} and {fruit1}s. (Suddenly|Then), there were dark clouds. It (began|started) to rain. "(Oh no|Look), (we will get wet|it is raining)!" said {friend}. They ran (to a big tree|into a small house|home|under a bridge). [They were (wet|cold), but they laughed.] (After a while|Soon), the rain stopped, and they saw a rainbow. "(How pretty|Look, a rainbow|I like all the colors)!" said {hero}. They ate the {food} (after all|there|together). ${together}`,
  // Something grows.
  `${opening} {hero}'s {family1} gave {him} a (small|tiny|little) seed. {hero} put it in the (ground|garden) and gave it water (every day|each morning). (After a week|One day), a little green leaf came out. {hero} was {happy}. The plant (grew and grew|became tall|grew every day). In (summer|June|July), there was a big {color1} flower. "(Look|Come and see), {friend}!" said {hero}. "It grew from a small seed." "(It is beautiful|How pretty it is)," said {friend}. {hero} gave {friend} (a seed|some seeds), too. ${together}`,
  // Something is cooked.
  `${opening} {hero} wanted to make {food} for {his} {family1}. "What do we need?" {he} asked. "We need {parts}," said {friend}. They went to the (market|shop) and bought {parts}. At home, {hero} (mixed|washed) everything in a big bowl, and {friend} (helped|stirred|turned on the oven). Soon the {food} was ready. It was {taste}. {hero} gave some to {his} {family1}. "This is (very good|the best {food} of all|wonderful)!" said {his} {family1}. [But the kitchen was very (dirty|messy), so {hero} and {friend} cleaned it.] ${together}`,
  // A fear goes away.
  `${opening} {hero} was afraid of (the dark|big dogs|thunder|deep water|loud noises). [{he} did not want to tell anyone.] (At night|One night), {he} heard a (sound|noise) {hide}. "Who is there?" (said|asked|whispered) {hero}. Nobody answered. {hero} took {his} {item} and looked. It was only a little {animal}! "{sound}!" said the {animal}. {hero} laughed. "You are (not scary|small|as afraid as I am)," {he} said. {he} gave it {eats}, and {he} called it {pet}. From that day, {hero} was not afraid any more. [${ending}]`,
  // A thing breaks, and the truth is told.
  `${opening} At home, there was a {item} that belonged to {his} {family1}. {hero} wanted to {use}, but it (fell|slipped) and broke. {hero} was afraid. "What will my {family1} say?" {he} thought. {friend} said, "You (should|must) tell the truth." So {hero} went to {his} {family1} and said, "I broke your {thing}. I am sorry." {his} {family1} was not angry. "(Thank you for telling me|It is good that you told me the truth|I am glad that you are honest)," said {his} {family1}. "We can (fix it|repair it|mend it) together." They did, and the {thing} was (as good as new|like new|whole again). ${together}`,
  // A birthday.
  `It was {hero}'s birthday. {he} was {years} years old. {his} {family1} made a (big|sweet) cake with {years} candles. {friend} came and (brought|gave {him}) a box with a (red|blue|green|yellow) ribbon. "(What is it|What is in the box)?" asked {hero}. "(Open it|Look inside)," said {friend}. {hero} opened the box. In it was a {item}! "Thank you, {friend}! I always wanted a {thing}," said {hero}. "Now I can {use}." They (ate cake|sang|played games|danced) until (the evening|it was late). ${together}`,
  // Something is learned with patience.
  `${opening} {hero} wanted to learn to (swim|ride a bike|read|play the flute|skate|dance|whistle). At first it was (hard|not easy). {he} tried, but (it did not work|{he} could not do it). "I can not do it," said {hero}. "(Try again|Do not give up|You need time)," said {his} {family1}. {hero} tried again (on {day1}|the next day). [And again on {day2}.] It was a little better. {he} (practiced|tried) every day. After {small} (days|weeks), {he} could do it! "(I can do it|Look at me|I did it)!" {he} called. {his} {family1} was proud. [${ending}]`,
  // A letter.
  `{once}, {hero} got a letter from {friend}. "Dear {hero}," it said, "I am (at the sea|in the mountains|on a farm|in the city). (It is very nice here|The weather is {weather}|I saw a big {animal} today). (I miss you|I think of you every day|Please come and visit me). Your friend, {friend}." {hero} was {happy}. {he} took a pen and wrote back. "Dear {friend}, thank you for your letter. (Here it is {weather2}|I have a new {thing} now|I will come on {day1}). I miss you, too. Your friend, {hero}." {he} put the letter in the (box|mail). (On {day2}|{small} days later), {friend} read it and {smile}.`,
  // A climb for what is stuck.
  `${opening} {hero} and {friend} played with a {item}. Then the {thing} (flew|went) up into a tall tree. "(Oh no|My {thing})!" said {hero}. {he} (jumped|climbed), but the tree was too high. {friend} had an idea. "(Let us ask the {animal}|Let us get a ladder|Let us ask {his} {family1})," {fhe} said. (They asked for help|They went to get help), and (soon|after a while) the {thing} came down. "(That was a good idea|You are very clever), {friend}," said {hero}. They played until (the sun went down|dinner). ${together}`,
  // A buyer at the market.
  `On {day1}, {hero} went to the market with {his} {family1}. They wanted to buy {fruit1}s and {food}. {hero} had {small} coins. {he} saw a {item} and (stopped|looked at it). "How much is the {thing}?" {he} asked. "(It costs|That is) {small} coins," said the (man|woman). [{hero} counted {his} coins.] {he} (bought it|gave the coins away and took the {thing}). Then {he} saw {friend}, who was {hungry}. {hero} gave {fhim} {a_fruit}. "Thank you," said {friend}. "You are (kind|a good friend)." They walked home together. ${together}`,
  // An animal friend that nobody wanted to play with.
  `There was a (little|small|young) {animal} named {pet}. {pet} lived {home}. The other animals did not (play with|talk to) {pet} because {pet} was (too small|too slow|too loud|different). {pet} was lonely. {once2}, a {animal2} (fell into the river|was lost in the forest|was stuck in a hole). "Help! Help!" called the {animal2}. The other animals (were afraid|did not know what to do), but {pet} ran (quickly|fast) and helped. "{sound}!" said {pet}. The {animal2} was safe. "Thank you, {pet}," said the {animal2}. "You are (brave|the best of us|a true friend)." After that, all the animals wanted to play with {pet}. {pet} was not lonely any more.`,
  // A race.
  `{once}, the {animal} and the {animal2} had a race. "I am (faster than you|the fastest of all)," said the {animal}. "We will see," said the {animal2}. They ran from the (river|tree|bridge|house) to the (hill|barn|pond|gate). The {animal} was (first|in front), but then {thehe} stopped to (rest|sleep|eat {eats}). The {animal2} did not stop. {thehe2} went on, {slowly}, step by step. (In the end|At last), the {animal2} won. "How did you do that?" asked the {animal}. "I (never stopped|did not give up|just kept going)," said the {animal2}. The {animal} {smile}, and they ate {eats} together.`,
  // A trip.
  `(On {day1}|In {month1}|Last {day1}), {hero} and {his} {family1} went (to the sea|to the mountains|to the city|to a farm|to the zoo) by (train|bus|car). The way was long. {hero} looked out of the window and saw (cows|trees|houses|hills|a river) and {small} {animal}s. When they (arrived|were there), it was {weather}. "Let us {do}," said {hero}. "Good idea," said {his} {family1}, "but take {gear} with you." They (stayed all day|had a good time|had a lot of fun). [{hero} found a {item} and took it home.] In the evening, they were tired and went home. ${ending}`,
  // A new neighbor.
  `A new (family|boy|girl|child) moved into the house next to {hero}. [{hero} was (shy|curious).] "Go and say hello," said {his} {family1}. {hero} took some {food} and went to the (house|door). "Hello, I am {hero}," {he} said. "What is your name?" "My name is {friend}," said the new neighbor. "I do not know anyone here." "Now you know me," said {hero}. They ate the {food} and talked about {hobby}. {friend} had a {item}, and they (played|looked at it) together. ${together}`,
  // A worker.
  `{hero} was a {job}. {he} worked in a {workplace} and had {tool}. Every day, {hero} (got up|woke up) at {hour} o'clock. {once2}, {friend} came to {him} and said, "(Please help me|Can you help me|I need your help). (My {thing} is broken|I am hungry|I do not know what to do)." {hero} (smiled|nodded) and said, "Sit down. I will help you." {he} worked (all day|until the evening|very hard). [{his} {family1} came to help, too.] "Here you are," {he} said at last. "Thank you, {hero}," said {friend}. "You are the best {job} in (town|the world)." ${together}`,
  // A wish.
  `${opening} {hero} found an old {thing2} {hide}. [It was dusty.] {hero} cleaned it with {his} (hand|sleeve). (Puff|Pop)! A tiny (fairy|man|woman|dragon) came out. "Thank you for (waking me|letting me out)," it said. "You have one wish." {hero} (thought|thought for a long time). {he} could wish for a {item}, or for a lot of {food}. But {his} friend {friend} was (sick|sad|far away). "I wish that {friend} is (well|happy|here)," said {hero}. (The next day|In the morning), {friend} (came to the door|stood at the door|was there) and {smile}. {hero} was happier than with any {thing}.`,
  // Bedtime.
  `It was late, but {hero} could not sleep. [The moon was (bright|big|round).] "I am not tired," said {hero}. {his} {family1} sat down on the bed and told a story about a {animal} named {pet}. {pet} lived {home}. (Each|Every) night, {pet} (counted the stars|looked at the moon|sang a song). "{sound}," said {pet} to the stars, "good night." And then {pet} (slept|fell asleep). When the story was over, {hero} was asleep, too. {his} {family1} turned off the light and said, "Good night, {hero}."`,
  // Snow.
  `When {hero} woke up, everything was white. "Snow! Snow!" {he} called. {he} put on {his} (warm|thick|{color1}) coat and ran outside. {friend} was there, too. They made a big snowman with a carrot for a nose and a {color2} hat. "What is his name?" asked {friend}. "His name is {pet}," said {hero}. They (threw snowballs|played) until their hands were cold. Then {his} {family1} made hot tea (for them|for everyone). [(The next day|A week later), the sun came out, and the snowman was gone. "He will come back next winter," said {hero}.] ${together}`,
  // A secret friend of the forest.
  `${opening} Behind the (old wall|hill|big gate|bridge) was a dark forest. {hero} was not allowed to go there (alone|at night). But {he} heard a song, and {he} went after it. [It was (quiet|cold) (between|under) the trees.] There {he} saw a {animal} with a {item}. "(Do not be afraid|Hello)," said the {animal}. "I am {pet}. (I am lost|I can not find my home). I live {home}." "I know where that is," said {hero}. {he} (took|led|brought) {pet} there. "Thank you," said {pet}. "Take this {thing}." {hero} ran home. {his} {family1} was (worried|waiting). "I was only helping a friend," said {hero}[, and {he} showed the {item}].`,
  // What the teacher asks.
  `On {day1}, the teacher asked, "What do you want to be when you grow up?" "I want to be a {job}," said {hero}, "because a {job} {does}." "And I want to be a {job2}," said {friend}, "because a {job2} {does2}." The teacher {smile}. "(Those are both good jobs|We need all kinds of people|That is wonderful)," the teacher said. After school, {hero} and {friend} played. {hero} was the {job}, and {friend} was the {job2}. [They (had a lot of fun|laughed a lot).] ${together}`,
  // Hide and seek.
  `{hero}, {friend} and {third} played hide and seek at the {place}. {hero} closed {his} eyes and counted to (ten|twenty). "One, two, three, four, five, six, seven, eight, nine, ten! I am coming!" {he} called. {friend} was {hide}, and {third} was {hide2}. {hero} looked {hide3}. Nobody was there. Then {he} heard a (laugh|noise). {he} looked {hide}. "I found you, {friend}!" {he} said. {friend} helped {him} to look for {third}. They looked {hide2}. "There you are, {third}!" they (called|said). "Now it is {friend}'s turn to count," said {hero}. ${together}`,
  // A boat on the river.
  `${opening} {hero} and {friend} made a (little|small) boat of (paper|wood). They put it on the (river|water|pond). The boat (went|sailed) away {slowly}. "(Where is it going|How far will it go)?" asked {friend}. "To the sea," said {hero}. They ran after it. The boat came to a (stone|bridge|branch) and stopped. A {animal} (saw|pushed) it, and the boat went on. "{sound}!" said the {animal}. "(Thank you|Good bye)!" called {hero}. They (waved|stood there) until they could not see it any more. ${together}`,
  // A friend is sick.
  `{friend} was sick and had to stay in bed. {hero} (heard about it|missed {fhim}|was sad about it). {he} made {food} and took it to {friend}. [{he} took a {item}, too.] "How are you?" asked {hero}. "(I am better now|My head hurts|I am tired)," said {friend}. "Eat this {food}. It is {taste}," said {hero}. {friend} ate it and {smile}. {hero} (read a story to {fhim}|told {fhim} about school|sat next to the bed) until {fhe} fell asleep. (After {small} days|On {day1}), {friend} was well again, and they (played|went to the {place}) together. ${together}`,
  // A pet runs away.
  `{hero} had a {animal} named {pet}. [Every day, {he} gave {pet} {eats}.] {once2}, the (door|gate|window) was open, and {pet} (ran away|was gone). "{pet}! {pet}! Where are you?" called {hero}. {he} looked {hide}. {he} looked {hide2}. {pet} was not there. {friend} said, "(Put {eats} in front of the door|Listen|Maybe {pet} went to the {place})." They waited. Then they heard something. "{sound}!" It was {pet}! {hero} was so happy that {he} (cried|laughed|danced). "Never run away again," said {hero}, and {pet} ate {eats}. [${together}]`,
  // A room is made tidy.
  `{hero}'s room was very (messy|dirty). There was a {thing} {hide}, and there was a {thing2} {hide2}. "You must clean your room," said {his} {family1}. {hero} did not want to, but then {friend} came. "(Let us do it together|I will help you|We can make it a game)," said {friend}. {hero} took the {thing}, and {friend} took the {thing2}. They put everything in a big box. And {hide3}, {hero} found {small} coins! "(Cleaning is fun|I am rich)," {he} said. With the coins, they bought {food}. ${together}`,
  // A song is sung for many.
  `There was a (concert|party|festival) at the {place} on {day1}. {hero} wanted to sing, but {he} was (afraid|shy). "What if I forget the words?" {he} asked. "(Then I will sing with you|Just look at me|Nobody will laugh)," said {friend}. On {day1}, there were many people. {hero} (looked at|saw) {friend} and began to sing. It was a song about a {animal} that lived {home}. [At the end, everybody called, "{sound}!"] The people (clapped|stood up|were very quiet, and then they clapped). "You were {good}," said {his} {family1}. ${together}`,
  // A picture is painted.
  `{hero} wanted to paint a picture for {his} {family1}. {he} took {color1} and {color2} and painted a {animal} {home}. But the {color1} was (everywhere|on {his} hands|on the table). {friend} laughed. "Now you are {color1}, too," {fhe} said. {hero} laughed with {fhim}. They washed their hands. {his} {family1} looked at the picture and said, "What a {good} {animal}! It looks as if it could say {sound}." {he} put it on the wall. ${together}`,
  // A long way at night.
  `{hero} and {his} {family1} took the night train. [{hero} had never been on a train at night.] Outside it was dark. {hero} saw the moon and {small} stars. "Where are we going?" {he} asked. "To the (sea|mountains|city)," said {his} {family1}. "We will be there at {hour} o'clock." {hero} held {his} {item} and (closed {his} eyes|fell asleep). When {he} woke up, it was {day1} morning, and the sun was (up|shining). "We are there!" said {his} {family1}. {hero} was {happy}.`,
  // Treasure.
  `{hero} and {friend} found an old map {hide}. There was a red cross on it. "A treasure!" said {friend}. They followed the map to the {place}. They went {small} steps to the left and {small} steps to the right. There was a (tree|stone|bench). They dug and dug. At last, they found a box. In it were a {item} and a letter. "Well done," said the letter, "the {thing} is yours. You can {use}." [{hero} turned the letter around. It was from {his} {family1}!] ${together}`,
  // A young bird.
  `In spring, {hero} found a little bird under a tree. It had fallen from its nest. "Tweet," said the bird, {slowly}. {hero} wanted to help, but the nest was too high. {he} called {friend}. {friend} brought a ladder, and {hero} climbed up with the bird. "Here is your home," {he} said. The mother bird came and sang. (The next day|After {small} weeks), the little bird could fly. It flew over {hero}'s house and said, "Tweet!" {hero} (waved|was {happy}).`,
];

const children = { girl: ["she", "her", "her"], boy: ["he", "him", "his"] };

/** Writes a story, on one line. */
export function story(random) {
  const [pick, some] = [picker(random), chooser(random)];
  return expand(pick(plots), scene(pick, some), words, random);
}

/** Who and what a story is about. */
function scene(pick, some) {
  const child = pick(["girl", "boy"]);
  const [he, him, his] = children[child];
  const friendKind = pick(["girl", "boy"]);
  const [fhe, fhim] = children[friendKind];
  const names = (kind) => (kind === "girl" ? girls : boys);
  const hero = pick(names(child));
  const friend = pick(names(friendKind).filter((name) => name !== hero));
  const [[thing, use, looks], [thing2]] = some(things, 2);
  const [[animal, sound, eats, home], [animal2]] = some(animals, 2);
  const [food, taste, parts] = pick(foods);
  const [[job, workplace, tool, does], [job2, , , does2]] = some(jobs, 2);
  const [hide, hide2, hide3] = some(hidingPlaces, 3);
  const [[weather, activity, gear], [weather2]] = some(weathers, 2);
  const [day1, day2] = some(words.day, 2);
  const [color1, color2] = some(words.color, 2);
  const [place] = some(words.place, 1);
  const fruit = pick(words.fruit.filter((name) => name !== "cherry" && name !== "peach"));
  return {
    ...{
      hero,
      he,
      him,
      his,
      child,
      friend,
      fhe,
      fhim,
      thing,
      thing2,
      use,
      animal,
      sound,
      eats,
      home,
      animal2,
    },
    ...{ food, taste, parts, job, workplace, tool, does, job2, does2, hide, hide2, hide3, place, gear },
    ...{ weather, weather2, do: activity, day1, day2, color1, color2, fruit1: fruit, a_fruit: `a ${fruit}` },
    item: `${pick(looks.split(", "))} ${thing}`,
    pet: pick(animalNames),
    third: pick(words.person.filter((name) => name !== hero && name !== friend)),
    family1: pick(words.family),
    years: pick(words.small),
    time2: pick(["the sun went down", "it was dark", "it was late", "dinner"]),
    month1: pick(words.month),
    hungry: pick(["hungry", "tired and hungry", "very hungry"]),
    thehe: pick(["it", "he", "she"]),
    thehe2: pick(["It", "He", "She"]),
    once2: pick(["one day", "then one day", "one morning", "one evening"]),
  };
}

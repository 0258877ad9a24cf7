// Everyday sentences: a few related ones per line.
import {
  animals,
  boys,
  colored,
  days,
  foods,
  girls,
  hidingPlaces,
  jobs,
  months,
  numbers,
  opposites,
  rooms,
  things,
  weathers,
  words,
} from "./words.mjs";
import { expand } from "./grammar.mjs";
import { picker } from "./random.mjs";

/** Functions that each write one line of related sentences. */
const kinds = [
  ({ pick }) => {
    const [weather, activity, gear] = pick(weathers);
    return `(It is {weather}|The weather is {weather}|It is a {weather} day) today. (We can {do}|Let us {do}|I want to {do}|On a {weather} day, people {do}). [Take {gear} with you.]`
      .replaceAll("{weather}", weather)
      .replaceAll("{do}", activity)
      .replaceAll("{gear}", gear);
  },
  ({ pick }) => {
    const [name, color] = pick(colored);
    return `(What color is the ${name}? The ${name} is ${color}.|The ${name} is ${color}[, not {color}].|"What color is the ${name}?" asked {person}. "It is ${color}," said {girl}.)`;
  },
  ({ pick, random }) => {
    const pair = pick(opposites);
    const [one, other] = random() < 0.5 ? pair : [pair[1], pair[0]];
    return `(The opposite of ${one} is ${other}.|What is the opposite of ${one}? It is ${other}.|${one} is the opposite of ${other}.|If it is not ${one}, it may be ${other}.)`;
  },
  ({ random }) => {
    const [a, b] = [Math.floor(random() * 11), Math.floor(random() * 10)];
    const [x, y, sum] = [numbers[a], numbers[b], numbers[a + b]];
    return `(${x} and ${y} make ${sum}.|${x} plus ${y} is ${sum}.|How much is ${x} plus ${y}? It is ${sum}.|${sum} minus ${y} is ${x}.|{person} has ${x} {fruit} trees and gets ${y} more. Now there are ${sum}.)`;
  },
  ({ random }) => {
    const at = Math.floor(random() * 7);
    const [day, next, before] = [days[at], days[(at + 1) % 7], days[(at + 6) % 7]];
    return `(The day after ${day} is ${next}.|The day before ${day} is ${before}.|Today is ${day}. Tomorrow is ${next}.|Yesterday was ${before}, so today is ${day}.|If today is ${day}, tomorrow is ${next} and yesterday was ${before}.)`;
  },
  ({ random }) => {
    const at = Math.floor(random() * 12);
    const [month, next] = [months[at], months[(at + 1) % 12]];
    return `(The month after ${month} is ${next}.|${next} comes after ${month}.|${month} comes before ${next}.|It is ${month} now. Next month is ${next}.)`;
  },
  ({ random }) => {
    const at = Math.floor(random() * 8) + 1;
    const run = numbers.slice(at, at + 5).join(", ");
    return `({person} can count: ${run}.|${run}.|Count with me: ${run}.)`;
  },
  ({ pick }) => {
    const [animal, sound, eats, home] = pick(animals);
    return `(The ${animal} lives ${home}. It likes to eat ${eats}.|What does the ${animal} say? The ${animal} says ${sound}.|"${sound}!" said the ${animal}.|The ${animal} says ${sound}[ and eats ${eats}].|Where does the ${animal} live? It lives ${home}.|The ${animal} is (hungry|happy) and eats ${eats}.|{person} has a ${animal}. It says ${sound} and lives ${home}.)`;
  },
  ({ pick }) => {
    const [job, workplace, tool, does] = pick(jobs);
    return `(A ${job} ${does}.|The ${job} works in the ${workplace}.|What does a ${job} do? A ${job} ${does}.|A ${job} needs ${tool}.|The ${job} works in the ${workplace} and ${does}.|{person} is a ${job}, so {person} knows someone who ${does}.)`;
  },
  ({ pick }) => {
    const [food, taste, parts] = pick(foods);
    return `(To make ${food}, you need ${parts}.|The ${food} is ${taste}.|What do you need for ${food}? You need ${parts}.|{person} made ${food} for {meal}. It was ${taste}.|For {meal} we have ${food} [and a {fruit}].)`;
  },
  ({ pick }) => {
    const [room, furniture, activity] = pick(rooms);
    return `(There is a ${furniture} in the ${room}.|In the ${room} you can ${activity}.|{person} is in the ${room}.|Where do you ${activity}? In the ${room}.|The ${furniture} is in the ${room}.)`;
  },
  ({ pick }) => {
    const [thing, use, looks] = pick(things);
    const look = pick(looks.split(", "));
    const where = pick(hidingPlaces);
    return `(The ${look} ${thing} is ${where}.|"Where is my ${thing}?" asked {person}. "It is ${where}," said {person}.|{person} has a ${look} ${thing} and likes to ${use}.|I have a ${look} ${thing}. I ${use} every day.|Who has the ${thing}? {person} has it.|{person} gave the ${thing} to {person}.|What can you do with a ${thing}? You can ${use}.|The ${thing} is ${look}.)`;
  },
  ({ child, name }) => {
    const [he, him, his] = child === "girl" ? ["she", "her", "her"] : ["he", "him", "his"];
    return `(${name} gets up at {hour} o'clock. Then ${he} washes ${his} (face|hands) and eats {meal}.|${name} likes {hobby}, but ${his} {family} likes {hobby}.|${name} is {feeling} because ${his} {family} is {feeling}.|"I am {feeling}," said ${name}. (${his} {family} (smiled|nodded|gave ${him} some {food}).)|${name} goes to the {place} {time}. [${he} goes there with ${his} {family}.]|${name} can not come today because ${he} is (sick|tired|at the {place}).|${name} put on ${his} {color} (coat|hat|shoes) and went out.|Every {day}, ${name} goes to the {place} with ${his} {family}.|${name} lost ${his} {thing} in the {place}.|${name} asked ${his} {family} for a {fruit}.)`;
  },
  ({ child, name }) => {
    const he = child === "girl" ? "she" : "he";
    return `("What is your name?" "My name is ${name}.|"How old are you, ${name}?" "I am {small} years old.|"What time is it?" asked ${name}. "It is {hour} o'clock.|"Can I have some {food}, please?" asked ${name}. "Yes, of course.|"Where are you going, ${name}?" "I am going to the {place}.|"Do you like {hobby}?" "(Yes, I do|No, I do not).|"Good morning, ${name}. How are you?" "I am (fine|very well|a little tired), thank you.|"Thank you," said ${name}. "You are welcome.|"Who is there?" ${he} asked. "It is me, ${name}.)"`;
  },
  () =>
    `(The {size} {animal} sat on the (mat|chair|wall) and looked at the {size} {animal}.|The {color} {thing} is on the table, and the {color} {thing} is under it.|(My|Her|His|Our|Their) {family} (likes|loves) {hobby}.|The {fruit} is {color} and the {thing} is {color}.|There are {small} {animal}s in the {place}.|We went to the {place} {time} and saw a {size} {animal}.|I am {feeling} today, and you?|The bus comes at {hour} o'clock. Do not be late.|First we eat {meal}, then we go to the {place}.|(Please|Do not) (close the window|open the door|turn off the light|wash your hands|sit down|come in).|Nobody was in the {place} {time}.|The children played {time} until it was dark.|(If|When) it rains, the street is wet.|(The {animal} did not eat the {fruit} because it was (too full|not hungry)|The {animal} did not eat the {fruit} because it was (not ripe|too sour)).|I would like a cup of tea and a piece of {food}.|The {fruit}s that the (man|woman) bought are {color}.|The {animal} that lives in the {place} is {size}.)`,
];

/** Writes a line of everyday sentences. */
export function everyday(random) {
  const pick = picker(random);
  const child = pick(["girl", "boy"]);
  const name = pick(child === "girl" ? girls : boys);
  const line = () => expand(pick(kinds)({ pick, random, child, name }), {}, words, random);
  const lines = random() < 0.4 ? [line(), line()] : [line()];
  return lines.join(" ");
}

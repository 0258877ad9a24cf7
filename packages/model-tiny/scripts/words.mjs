// The words of the grammar, with the words that they are used with.
const list = (text) => text.trim().split(/\s*,\s*/);

export const girls = list(
  `Anna, Lily, Mia, Sara, Emma, Rosa, Nora, Ella, Lucy, Maya, Zoe, Ida, Clara, Amy, Kate, Lena, Ruth, Tina, Eva, Jane`,
);
export const boys = list(
  `Tom, Ben, Max, Sam, Leo, Tim, Jack, Finn, Paul, Omar, Nick, Hugo, Adam, Luke, Dan, Peter, Noah, Ravi, Emil, Carl`,
);

/** Animals that stories are about, with what they eat and where they live. */
export const animals = [
  ["dog", "woof", "a bone", "in a small wooden house"],
  ["cat", "meow", "a fish", "in a warm basket"],
  ["mouse", "squeak", "some cheese", "in a hole in the wall"],
  ["rabbit", "squeak", "a carrot", "under the hill"],
  ["fox", "yip", "some berries", "at the edge of the forest"],
  ["bear", "growl", "some honey", "in a dark cave"],
  ["duck", "quack", "some bread", "by the pond"],
  ["frog", "croak", "a fly", "by the pond"],
  ["owl", "hoot", "a worm", "in an old tree"],
  ["bird", "tweet", "some seeds", "in a nest"],
  ["horse", "neigh", "some hay", "in the barn"],
  ["cow", "moo", "some grass", "on the farm"],
  ["pig", "oink", "some corn", "on the farm"],
  ["sheep", "baa", "some grass", "on the hill"],
  ["goat", "baa", "some leaves", "on the hill"],
  ["lion", "roar", "some meat", "in the zoo"],
  ["monkey", "chatter", "a banana", "in the zoo"],
  ["elephant", "trumpet", "some leaves", "in the zoo"],
];
export const animalNames = list(
  `Pip, Dot, Bo, Fuzzy, Coco, Rusty, Snow, Bean, Momo, Patch, Ginger, Teddy, Lulu, Biscuit`,
);

/** Things that are lost, found, given and shared, with what one does with them. */
export const things = [
  ["ball", "play with it", "red, blue, green, yellow, big, small, round"],
  ["kite", "fly it", "red, blue, green, yellow, long, big"],
  ["book", "read it", "old, new, thick, green, small, blue"],
  ["hat", "wear it", "red, warm, blue, yellow, funny, old"],
  ["boat", "sail it", "little, wooden, blue, white, toy, paper"],
  ["drum", "play it", "loud, round, red, new, little"],
  ["doll", "play with it", "little, old, pretty, soft, new"],
  ["train", "play with it", "toy, long, black, wooden, green"],
  ["bike", "ride it", "new, red, blue, fast, shiny"],
  ["coat", "wear it", "warm, blue, long, brown, new"],
  ["cup", "drink from it", "blue, white, little, yellow, pretty"],
  ["key", "open the door with it", "little, old, golden, shiny, heavy"],
  ["lamp", "light the room with it", "small, bright, green, old"],
  ["ring", "wear it", "golden, shiny, pretty, little"],
  ["box", "keep things in it", "big, wooden, brown, empty, heavy"],
  ["spoon", "eat soup with it", "big, wooden, silver, little"],
  ["umbrella", "stay dry under it", "red, big, black, yellow"],
  ["bag", "carry things in it", "brown, big, green, heavy"],
  ["clock", "tell the time with it", "old, round, loud, little"],
  ["flute", "play it", "wooden, silver, little, long"],
  ["map", "find the way with it", "old, big, torn, secret"],
  ["picture", "look at it", "pretty, small, big, funny"],
  ["teddy bear", "sleep with it", "brown, soft, old, big, little"],
  ["truck", "play with it", "yellow, big, red, toy"],
];

/** Where things hide in a house, and around it. */
export const hidingPlaces = list(
  `under the bed, behind the door, on the roof, in the garden, under the table, behind the sofa, in the kitchen,
   on the shelf, in the bath, under the tree, in the car, behind the curtain, in the drawer, next to the window,
   in the tall grass, on the stairs, in the basket, under the blanket`,
);

export const foods = [
  ["cake", "sweet", "flour, sugar and eggs"],
  ["soup", "hot", "carrots, potatoes and water"],
  ["bread", "fresh", "flour, salt and water"],
  ["pie", "sweet", "apples, flour and butter"],
  ["salad", "fresh", "tomatoes, lettuce and oil"],
  ["pizza", "hot", "tomatoes, cheese and flour"],
  ["jam", "sweet", "berries and sugar"],
  ["tea", "hot", "water and leaves"],
  ["omelet", "soft", "eggs, milk and salt"],
  ["porridge", "warm", "oats and milk"],
];

/** Who works where, with what, and does what. */
export const jobs = [
  ["baker", "bakery", "an oven", "bakes bread"],
  ["teacher", "school", "a board", "teaches children"],
  ["doctor", "hospital", "a bright light", "helps sick people"],
  ["farmer", "farm", "a tractor", "grows corn"],
  ["driver", "bus", "a big wheel", "drives people to town"],
  ["cook", "kitchen", "a big pot", "makes soup"],
  ["painter", "studio", "a brush", "paints pictures"],
  ["gardener", "garden", "a spade", "plants flowers"],
  ["sailor", "ship", "a rope", "sails the sea"],
  ["nurse", "hospital", "a soft cloth", "takes care of people"],
  ["singer", "theater", "a microphone", "sings songs"],
  ["mechanic", "garage", "a hammer", "repairs cars"],
  ["librarian", "library", "a computer", "lends books"],
  ["tailor", "shop", "a needle", "makes clothes"],
  ["fisherman", "boat", "a net", "catches fish"],
  ["pilot", "plane", "a map", "flies over the clouds"],
];

export const opposites = [
  ["hot", "cold"],
  ["big", "small"],
  ["long", "short"],
  ["fast", "slow"],
  ["happy", "sad"],
  ["old", "new"],
  ["high", "low"],
  ["hard", "soft"],
  ["light", "dark"],
  ["wet", "dry"],
  ["full", "empty"],
  ["open", "closed"],
  ["early", "late"],
  ["clean", "dirty"],
  ["loud", "quiet"],
  ["heavy", "light"],
  ["thick", "thin"],
  ["up", "down"],
  ["left", "right"],
  ["day", "night"],
  ["summer", "winter"],
  ["good", "bad"],
  ["rich", "poor"],
  ["strong", "weak"],
];

/** What has which color. */
export const colored = [
  ["sky", "blue"],
  ["grass", "green"],
  ["snow", "white"],
  ["sun", "yellow"],
  ["banana", "yellow"],
  ["tomato", "red"],
  ["night", "black"],
  ["sea", "blue"],
  ["strawberry", "red"],
  ["carrot", "orange"],
  ["leaf", "green"],
  ["milk", "white"],
  ["chocolate", "brown"],
  ["lemon", "yellow"],
  ["coal", "black"],
  ["cloud", "white"],
  ["frog", "green"],
  ["pig", "pink"],
];

export const days = list(`Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday`);
export const months = list(
  `January, February, March, April, May, June, July, August, September, October, November, December`,
);
export const numbers = list(
  `zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen,
   sixteen, seventeen, eighteen, nineteen, twenty`,
);

/** What the weather is, what one does then, and what one takes along. */
export const weathers = [
  ["sunny", "play outside", "a hat"],
  ["rainy", "stay inside", "an umbrella"],
  ["windy", "fly a kite", "a warm coat"],
  ["snowy", "build a snowman", "warm gloves"],
  ["cloudy", "go for a walk", "a coat"],
  ["hot", "swim in the lake", "cold water"],
  ["cold", "drink hot tea", "a thick coat"],
  ["foggy", "walk slowly", "a lamp"],
];

/** Rooms, with what stands in them. */
export const rooms = [
  ["kitchen", "oven", "cook"],
  ["bedroom", "bed", "sleep"],
  ["bathroom", "bath", "wash"],
  ["living room", "sofa", "rest"],
  ["garden", "bench", "sit in the sun"],
  ["classroom", "board", "learn"],
  ["garage", "car", "repair things"],
  ["library", "shelf", "read"],
];

/** Words that may stand anywhere, a new one each time. */
export const words = {
  girl: girls,
  boy: boys,
  person: [...girls, ...boys],
  color: list(`red, blue, green, yellow, white, black, brown, orange, pink, purple, gray`),
  family: list(`mother, father, sister, brother, grandmother, grandfather, aunt, uncle`),
  place: list(
    `park, garden, forest, school, market, beach, library, river, lake, farm, station, bakery, zoo, museum, playground`,
  ),
  fruit: list(`apple, pear, banana, orange, plum, cherry, lemon, melon, peach`),
  thing: things.map(([name]) => name),
  food: foods.map(([name]) => name),
  animal: animals.map(([name]) => name),
  day: days,
  month: months,
  meal: list(`breakfast, lunch, dinner`),
  room: rooms.map(([name]) => name),
  time: list(
    `in the morning, in the afternoon, in the evening, at night, at noon, after school, before dinner`,
  ),
  feeling: list(`happy, sad, tired, angry, proud, afraid, hungry, lonely, excited, surprised, bored`),
  happy: list(`happy, glad, proud, very happy, so happy, full of joy`),
  good: list(`good, nice, kind, wonderful, lovely, great`),
  size: list(`big, small, little, tiny, huge, tall, short, long`),
  hobby: list(
    `reading books, singing songs, drawing pictures, playing chess, riding a bike, climbing trees, swimming in the lake,
     baking cakes, telling stories, playing football, watching birds, growing flowers, dancing, counting stars`,
  ),
  slowly: list(`slowly, quickly, quietly, carefully, gently, softly`),
  small: list(`two, three, four, five, six, seven, eight, nine, ten`),
  smile: list(`smiled, laughed, nodded, clapped, grinned`),
  once: list(
    `once upon a time, one day, one morning, one sunny day, one evening, one rainy day, one day in spring, one cold day,
     one day after school, one warm afternoon, last summer, long ago`,
  ),
  hour: list(`one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve`),
};

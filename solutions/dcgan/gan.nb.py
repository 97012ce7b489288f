# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] tags=["names"] id="names"
# | name | matriculation number |
# | --- | --- |
# |  |  |

# %% [markdown] id="title"
# # Generative adversarial networks
#
# Two networks play a game. The *generator* $G$ turns noise $z$ into a picture $G(z)$. The *discriminator* looks at a
# picture $x$ and gives it a *logit* $f(x)$, so that $D(x) = \sigma(f(x))$ is the probability that it is real. One wants
# to be believed, the other wants to see through it, and both learn from each other.
#
# **How to work.** Most of the code is in files: fill the gaps (dcgan 1) to (dcgan 5) in `lib/gan/models.py`, (dcgan 6)
# to (dcgan 10) in `lib/gan/losses.py` and (dcgan 11) to (dcgan 13) in `lib/gan/train.py`, each with a comment on what
# you do. Two more gaps are in this notebook. Answer the questions in the cells that say so. All other cells are given
# and are put back when your notebook is graded; you may add cells of your own, which are not run then.
#
# The checks between the cells run in a moment. `python -m pytest tests/test_dcgan.py` tests the files. The tests that
# decide look at more.
#
# **What to hand in.** This notebook with all cells run from top to bottom, and the same as `gan.pdf`. The script
# `collect_submission.py` puts everything together.

# %% id="imports"
import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.utils.data import DataLoader

# %% tags=["check"] id="import-checks"
from gapcheck import assert_close, assert_equal, assert_tensor

# %% id="import-library"
from lib.data.digits import MadeDigits
from lib.data.source import load_digits
from lib.gan.losses import (
    discriminator_loss,
    generator_loss,
    ls_discriminator_loss,
    ls_generator_loss,
    saturating_generator_loss,
)
from lib.gan.models import Discriminator, Generator, initialise
from lib.gan.show import show_history, show_pictures
from lib.gan.train import History, draw_noise, train

NOISE_SIZE, WIDTH = 64, 32

# %% [markdown] id="about-the-data"
# ## 1 The data
#
# The pictures are digits of 28 x 28 pixels, drawn from fonts by our own code. `load_digits(download=True)` fetches the
# handwritten digits of MNIST, ten times as many, and uses those.

# %% tags=["slow"] id="data"
torch.manual_seed(0)
train_data, _ = load_digits()
batches = DataLoader(train_data, batch_size=128, shuffle=True, drop_last=True)
made = isinstance(train_data, MadeDigits)
show_pictures(2 * next(iter(batches))[0][:40] - 1, "Real pictures")
plt.show()

# %% [markdown] id="about-the-networks"
# ## 2 The networks
#
# Both follow the guidelines of [Radford, Metz & Chintala 2016](https://arxiv.org/abs/1511.06434): strides in place of
# pooling, batch norm almost everywhere but at the pictures themselves, ReLU in the generator, leaky ReLU in the
# discriminator, $\tanh$ at the end. The files list the layers. A transposed convolution with kernel $k$, stride $s$ and
# padding $p$ turns $n$ rows into
#
# $$(n - 1)\, s - 2 p + k.$$
#
# The weights begin small, drawn from $\mathcal{N}(0, 0.02^2)$.

# %% tags=["check"] id="check-networks"
for network, shape, wanted in ((Generator(), (2, 64), (2, 1, 28, 28)), (Discriminator(), (2, 1, 28, 28), (2,))):
    assert_tensor(network(torch.zeros(shape)), wanted, what=f"the output of the {type(network).__name__.lower()}")

# %% [markdown] id="about-the-losses"
# ## 3 The losses
#
# In the game of [Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661) both players look at one number,
#
# $$V(D, G) = \mathbb{E}_x \log D(x) + \mathbb{E}_z \log\bigl(1 - D(G(z))\bigr),$$
#
# which $D$ makes large and $G$ makes small. Since $G$ has no part in the first term, it would minimise the second one:
# that is the *saturating* loss. In practice one minimises $-\mathbb{E}_z \log D(G(z))$ instead, the *non-saturating*
# loss. Its minimum lies at the same place. What the difference is good for, you see below.
#
# All losses are computed from logits, with $-\log \sigma(f) = \log(1 + e^{-f})$.

# %% tags=["check"] id="check-losses"
assert_close(discriminator_loss(torch.zeros(3), torch.zeros(2)), 1.386294, what="the loss of a discriminator at 1/2")
assert_close(generator_loss(torch.tensor([-500.0])), 500.0, what="the loss of a generator that nobody believes")
assert_close(ls_discriminator_loss(torch.ones(2), torch.zeros(5)), 0.0, what="the least squares at their minimum")

# %% tags=["slow"] id="show-gradients"
logits = torch.linspace(-8, 8, 161)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for name, loss_function in (
    ("saturating", saturating_generator_loss),
    ("non-saturating", generator_loss),
    ("least squares", ls_generator_loss),
):
    leaf = logits.clone().requires_grad_()
    # a row of one logit each: the mean of a single value is the value itself
    values = torch.stack([loss_function(one[None]) for one in leaf])
    values.sum().backward()
    left.plot(logits, values.detach(), label=name)
    right.plot(logits, leaf.grad, label=name)
left.set(title="loss of the generator", xlabel="logit of a generated picture", ylim=(-8, 12))
right.set(title="its gradient", xlabel="logit of a generated picture", ylim=(-3, 3))
right.legend()
plt.show()

# %% [markdown] id="question-1"
# **Question 1** (1 point). At the beginning the discriminator sees through every picture: the logits of generated
# pictures are around $-8$. Which of the three losses lets the generator learn then, and how can you tell from the
# figure? Give the derivatives of the saturating and of the non-saturating loss in $f$ as formulas. And what do the
# least squares do with a picture whose logit is $+8$?

# %% [markdown] tags=["answer"] id="gan-q1"
# With $D = \sigma(f)$: the saturating loss $\log(1 - \sigma(f))$ has the derivative $-\sigma(f)$, the non-saturating
# one $-\log \sigma(f)$ has $-(1 - \sigma(f))$. At $f = -8$ the first is $-0.0003$, so almost nothing reaches the
# generator just when it has most to learn; the second is almost $-1$, as large as it can be. The least squares have $f
# - 1$, here $-9$: an even larger gradient, that grows with the distance. At $f = +8$ both cross-entropies have hardly a
# gradient left on the non-saturating side (the picture is accepted), while the least squares pull the picture back with
# $+7$: they punish pictures that are too far on the right side of the decision boundary as well.

# %% [markdown] id="about-the-training"
# ## 4 Training
#
# Each batch gives one step of the discriminator and one of the generator, with Adam as Radford et al. set it. We train
# two pairs: one with the cross-entropy and the non-saturating loss, one with least squares
# ([Mao et al. 2017](https://arxiv.org/abs/1611.04076)). Both together take about two minutes on two cores.

# %% id="training"
LOSSES = {
    "cross-entropy": (discriminator_loss, generator_loss),
    "least squares": (ls_discriminator_loss, ls_generator_loss),
}


# %% tags=["training"] id="train"
EPOCHS = 10 if made else 3
generators: dict[str, Generator] = {}
histories: dict[str, History] = {}
fixed_noise = draw_noise(10, NOISE_SIZE)
development: list[Tensor] = []
for name, losses in LOSSES.items():
    torch.manual_seed(1)
    generator, discriminator = Generator(NOISE_SIZE, WIDTH), Discriminator(WIDTH)
    initialise(generator)
    initialise(discriminator)

    def keep(epoch: int, generator: Generator = generator, name: str = name) -> None:
        """Draw the same noise again, to see a picture develop."""
        if name == "cross-entropy" and epoch in (1, 2, 4, EPOCHS):
            with torch.no_grad():
                development.append(generator(fixed_noise))

    histories[name] = train(
        discriminator, generator, batches, noise_size=NOISE_SIZE, epochs=EPOCHS, losses=losses, after_epoch=keep
    )
    generators[name] = generator.eval()

# %% tags=["slow"] id="show-training"
show_pictures(torch.cat(development), "The same noise after 1, 2, 4 and all epochs (a row each)")
show_history(histories)
for name, generator in generators.items():
    with torch.no_grad():
        show_pictures(generator(draw_noise(50, NOISE_SIZE, torch.Generator().manual_seed(5))), f"Generated: {name}")
plt.show()

# %% [markdown] id="question-2"
# **Question 2** (1 point). Describe how the pictures and the curves develop. Which value would the mean of $D(x)$ and
# of $D(G(z))$ have at the equilibrium, and which value the discriminator's loss? Are they reached, and does a loss of
# the generator that grows mean that its pictures become worse?

# %% [markdown] tags=["answer"] id="gan-q2"
# First there is noise, then a blur in the middle, then strokes, then digits with sharp edges, some of them broken. At
# the equilibrium $D = 1/2$ for all pictures and the cross-entropy is $2 \log 2 \approx 1.39$. It is not reached: the
# discriminator stays ahead, with $D(x)$ above and $D(G(z))$ below one half, and its loss below 1.39. The generator's
# loss measures its pictures by a discriminator that learns as well. It may grow while the pictures become better,
# because the discriminator becomes better faster; the losses of a GAN cannot be read like those of a classifier.

# %% [markdown] id="question-3"
# **Question 3** (1 point). Compare the pairs trained with the cross-entropy and with least squares: the pictures, how
# varied they are, and the curves on the right. Why must the curves of least squares not be read as probabilities?

# %% [markdown] tags=["answer"] id="gan-q3"
# Both give digits of similar quality, in several fonts and slants; neither has collapsed to a few pictures. With least
# squares the logit itself is trained towards 1 for real and 0 for generated pictures, so sigmoid(logit) is drawn
# towards 0.73 and 0.5: the curves lie close together even where the discriminator is perfect. Only the order of the two
# curves has a meaning there. The least squares' curves are steadier, since no gradient vanishes and no loss grows
# without bound on the right side.

# %% [markdown] id="about-interpolation"
# ## 5 What has the generator learned?
#
# ### 5a A walk through the noise
#
# Between two vectors of noise the generator should draw pictures that look real all the way. A straight line between
# them passes through vectors that are too short: in 64 dimensions almost all noise has a length near $\sqrt{64} = 8$.
# One walks along an arc instead ([White 2016](https://arxiv.org/abs/1609.04468)). With the angle $\Omega$ between both
# vectors,
#
# $$\cos \Omega = \frac{z_0 \cdot z_1}{\lVert z_0 \rVert\, \lVert z_1 \rVert}, \qquad
# z(w) = \frac{\sin((1 - w)\, \Omega)}{\sin \Omega}\, z_0 + \frac{\sin(w\, \Omega)}{\sin \Omega}\, z_1.$$


# %% id="interpolate"
def interpolate(start: Tensor, end: Tensor, weights: Tensor) -> Tensor:
    """Walk along the arc from one vector of noise to another.

    Args:
        start, end: (noise_size,) two vectors, neither parallel nor opposite.
        weights: (K,) places on the way, 0 for the start and 1 for the end.

    Returns:
        (K, noise_size) a vector of noise for each place.
    """
    # START TODO (dcgan 14): compute the angle between both vectors, and the vectors on the way.
    # Hint: one row for each weight; how does (K, 1) multiply (noise_size,)?
    angle = torch.arccos(start @ end / (start.norm() * end.norm()))
    # (K,) -> (K, 1): one factor a row
    of_start = torch.sin((1 - weights) * angle)[:, None] / angle.sin()
    of_end = torch.sin(weights * angle)[:, None] / angle.sin()
    return of_start * start + of_end * end
    # END TODO


# %% tags=["check"] id="check-interpolate"
quarter = interpolate(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.5, 1.0]))
assert_close(quarter, torch.tensor([[2.0, 0.0], [2**0.5, 2**0.5], [0.0, 2.0]]), what="a quarter of a circle")

# %% tags=["slow"] id="show-interpolation"
corners = draw_noise(6, NOISE_SIZE, torch.Generator().manual_seed(3))
walk = [interpolate(corners[i], corners[i + 1], torch.linspace(0, 1, 10)) for i in (0, 2, 4)]
with torch.no_grad():
    show_pictures(generators["cross-entropy"](torch.cat(walk)), "Three walks through the noise")
plt.show()

# %% [markdown] id="about-neighbours"
# ### 5b Learned or remembered?
#
# A generator that copies its training pictures would show perfect digits, too. So look for the training picture that is
# most alike to each generated one, by the squared distance over all pixels,
#
# $$d(x, y) = \sum_i (x_i - y_i)^2.$$


# %% id="nearest"
def nearest(pictures: Tensor, others: Tensor) -> Tensor:
    """Find the most similar one of `others` for each picture.

    Args:
        pictures: (N, C, H, W).
        others: (M, C, H, W).

    Returns:
        (N,) Long: the index into `others` with the smallest sum of squared differences over all pixels.
    """
    # START TODO (dcgan 15): compute all N * M distances without a loop, and the index of the smallest in each row.
    # Hint: torch.cdist takes two matrices, a picture in each row.
    distances = torch.cdist(pictures.flatten(1), others.flatten(1))
    # the root that cdist takes changes no order
    return distances.argmin(dim=1)
    # END TODO


# %% tags=["check"] id="check-nearest"
squares = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 1, 2, 2)
assert_equal(nearest(squares[[2, 0]] + 0.1, squares).tolist(), [2, 0], "the indices of the nearest pictures")

# %% tags=["slow"] id="show-neighbours"
training_pictures = torch.stack([train_data[i][0] for i in range(min(len(train_data), 6000))]) * 2 - 1
with torch.no_grad():
    drawn = generators["cross-entropy"](draw_noise(10, NOISE_SIZE, torch.Generator().manual_seed(5)))
neighbours = training_pictures[nearest(drawn, training_pictures)]
show_pictures(torch.cat([drawn, neighbours]), "Generated pictures, and below each its nearest training picture")
plt.show()

# %% [markdown] id="question-4"
# **Question 4** (1 point). Does your generator remember or has it learned? Argue with both figures of this section.
# Name one way in which the nearest training picture can mislead, and say what *mode collapse* would look like in each
# of the two figures.

# %% [markdown] tags=["answer"] id="gan-q4"
# The pictures on a walk change gradually, one digit turns into another through shapes that are digits or nearly so; a
# generator that had stored pictures would jump from one to the next. The nearest training pictures show the same digit
# in most columns, with other strokes, slants and places: no copies. The squared distance can mislead: a copy that is
# moved by one pixel or is a little brighter is far away, so a copied picture may not be recognised, and blurred
# pictures are near to everything. With mode collapse all walks would show the same few digits with no change in
# between, and the same training pictures would be the neighbours of most generated ones.

"""Denoising diffusion on small images: schedule, process, network, training, sampling, latent space."""
